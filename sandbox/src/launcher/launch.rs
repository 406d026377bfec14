//! One launch: the sources of a specification are opened, and a blank sandbox is assigned to the function.

use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::OFlag;
use nix::unistd::{Gid, Uid, fchown, pipe2};

use super::blanks::{Blank, INIT_WAIT};
use super::supervisor::Supervisor;
use crate::cgroup::{GroupLimits, Handles};
use crate::error::{At, LaunchFailure, StartFailure, StepError};
use crate::protocol::{Assignment, Channel, LaunchReport, Progress};
use crate::spec::Spec;
use crate::volume::Tmp;

/// How many blanks a launch may use: a failure of one blank does not mean that the next one fails.
const BLANKS: usize = 2;

/// What the API process gets for one sandbox.
#[derive(Debug)]
pub(super) struct SandboxParts {
    pub(super) launched: LaunchReport,
    pub(super) descriptors: [OwnedFd; 4],
    pub(super) handles: Handles,
}

/// What caused the failure of an assignment.
enum AssignFailure {
    /// The blank: another one may work.
    Blank(LaunchFailure),
    /// The request or the machine.
    Asked(LaunchFailure),
}

impl<E: Into<LaunchFailure>> From<E> for AssignFailure {
    fn from(error: E) -> Self {
        Self::Asked(error.into())
    }
}

impl Supervisor {
    pub(super) fn launch(&mut self, spec: &Spec) -> Result<SandboxParts, LaunchFailure> {
        spec.check()?;
        let mut blanks = BLANKS;
        loop {
            blanks -= 1;
            match self.try_launch(spec) {
                Err(AssignFailure::Blank(_)) if blanks > 0 => {}
                Err(AssignFailure::Blank(failure) | AssignFailure::Asked(failure)) => return Err(failure),
                Ok(delivery) => return Ok(delivery),
            }
        }
    }

    fn try_launch(&mut self, spec: &Spec) -> Result<SandboxParts, AssignFailure> {
        // Made again for each blank, because a mount can be attached only once.
        let mut mounts = Vec::with_capacity(spec.binds.len() + 1);
        for bind in &spec.binds {
            mounts.push(self.machine.sources.mount(&bind.source)?);
        }
        let volume = match self.machine.volumes.take(spec.tmp_mib).map_err(volume_failure)? {
            Tmp::Volume(volume) => {
                mounts.push(volume);
                true
            }
            Tmp::Memory => false,
        };
        let (serial, blank) = self.take_blank()?;
        let pid = blank.child.pid;
        match assign(&blank, spec, &mounts, volume) {
            Ok(Assigned { listener, output, status, lifeline: (watched, held), handles }) => {
                self.deaths = 0;
                let launched = LaunchReport { uid: blank.uid, pid, handles: handles.kind };
                self.track(serial, blank, watched)?;
                Ok(SandboxParts { launched, descriptors: [listener, output, status, held], handles })
            }
            Err(fault) => {
                match fault {
                    AssignFailure::Blank(_) => self.discard_failed(serial, blank),
                    AssignFailure::Asked(_) => self.discard(serial, blank),
                }
                Err(fault)
            }
        }
    }
}

fn volume_failure(failure: StartFailure) -> LaunchFailure {
    match failure {
        StartFailure::Step(error) => error.into(),
        other => StepError { step: other.to_string(), errno: 0 }.into(),
    }
}

/// The ends that the API process gets, and the end of the lifeline that the launcher watches.
struct Assigned {
    listener: OwnedFd,
    output: OwnedFd,
    status: OwnedFd,
    lifeline: (OwnedFd, OwnedFd),
    handles: Handles,
}

/// Assigns a blank sandbox to `spec`, up to the start of its program.
fn assign(blank: &Blank, spec: &Spec, mounts: &[OwnedFd], volume: bool) -> Result<Assigned, AssignFailure> {
    let listener = blank.listener().map_err(AssignFailure::Blank)?;
    let limits = GroupLimits {
        memory_bytes: u64::from(spec.memory_mib) << 20,
        cpu_quota_permille: spec.cpu_quota_permille,
        cpu_init_permille: spec.cpu_init_permille,
        processes_max: spec.processes_max,
    };
    blank.group.limit(limits)?;
    let handles = blank.group.handles(limits)?;
    let (output, output_inside) = pipe2(OFlag::O_CLOEXEC).at("make the output pipe")?;
    let owner = (Uid::from_raw(blank.uid), Gid::from_raw(blank.uid));
    fchown(&output_inside, Some(owner.0), Some(owner.1)).at("give the output pipe its owner")?;
    let lifeline = pipe2(OFlag::O_CLOEXEC).at("make the lifeline")?;
    let (status, status_inside) = Channel::pair().at("make the status channel")?;
    let mut inside = vec![output_inside.as_fd(), status_inside.as_fd()];
    inside.extend(mounts.iter().map(AsFd::as_fd));
    let of_blank = |error: StepError| AssignFailure::Blank(error.into());
    blank.channel.send(&assignment(spec, volume), &inside).at("assign the sandbox").map_err(of_blank)?;
    let progress = blank.channel.receive_within::<Progress>(INIT_WAIT).at("wait for containment");
    progress.map_err(of_blank)?.value?;
    Ok(Assigned { listener, output, status: status.into_fd(), lifeline, handles })
}

fn assignment(spec: &Spec, volume: bool) -> Assignment {
    Assignment {
        targets: spec.binds.iter().map(|bind| bind.target.clone()).collect(),
        files: spec.files.clone(),
        symlinks: spec.symlinks.clone(),
        argv: spec.argv.clone(),
        env: spec.env.clone(),
        cwd: spec.cwd.clone(),
        hostname: spec.hostname.clone(),
        memory_mib: spec.memory_mib,
        tmp_mib: spec.tmp_mib,
        processes_max: spec.processes_max,
        volume,
    }
}
