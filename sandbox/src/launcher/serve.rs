//! The launcher's loop: requests in, ends of sandboxes noticed, stocks refilled.

use std::collections::{HashMap, VecDeque};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::unistd::{Gid, Uid, fchown, pipe2};

use super::blanks::{Blank, INIT_WAIT};
use super::environment::Environment;
use super::machine::Machine;
use crate::cgroup::{Handles, Limits};
use crate::error::{At, LaunchFailure, StartFailure, StepError};
use crate::protocol::{Assignment, Channel, ChannelError, Launched, Progress, Reply, Request, Started};
use crate::spec::Spec;
use crate::volume::Tmp;

/// How often the dying are looked at again.
const RETRY_MS: u16 = 20;
/// How long the end of all sandboxes may take before the launcher gives up.
const TEAR_DOWN_WAIT: Duration = Duration::from_secs(15);
const EVENTS: usize = 64;

/// What an event of epoll is about: a kind in the low two bits, the sandbox's serial above.
const REQUEST: u64 = 0;
const LIFELINE: u64 = 2;
const ENDED: u64 = 3;

/// The launcher at work.
#[derive(Debug)]
pub(super) struct Server {
    machine: Machine,
    channel: Channel,
    epoll: Epoll,
    environments: HashMap<u64, Environment>,
    blanks: VecDeque<Blank>,
    serial: u64,
}

/// What goes to the API process for one sandbox.
#[derive(Debug)]
struct Delivery {
    launched: Launched,
    descriptors: [OwnedFd; 4],
    handles: Handles,
}

impl Server {
    pub(super) fn new(machine: Machine, channel: Channel) -> Result<Self, StepError> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).at("make an epoll")?;
        epoll.add(channel.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, REQUEST)).at("watch requests")?;
        let blanks = VecDeque::new();
        Ok(Self { machine, channel, epoll, environments: HashMap::new(), blanks, serial: 0 })
    }

    /// Tells the API process that the launcher is ready.
    pub(super) fn greet(&self, notes: Vec<String>) -> Result<(), ChannelError> {
        self.channel.send(&Started::Ok(notes), &[])
    }

    /// Works until the API process is gone.
    pub(super) fn serve(&mut self) {
        self.refill();
        let mut events = [EpollEvent::empty(); EVENTS];
        loop {
            for token in self.wait(&mut events) {
                if token == REQUEST && !self.answer() {
                    return;
                }
                self.note(token);
            }
            self.bury();
            self.refill();
        }
    }

    fn wait(&self, events: &mut [EpollEvent]) -> Vec<u64> {
        let dying = self.environments.values().any(Environment::is_dying);
        let timeout = if dying { EpollTimeout::from(RETRY_MS) } else { EpollTimeout::NONE };
        // EINTR is the only error that can come; the next round waits again.
        let count = self.epoll.wait(events, timeout).unwrap_or_default();
        events.iter().take(count).map(EpollEvent::data).collect()
    }

    fn note(&mut self, token: u64) {
        let Some(environment) = self.environments.get_mut(&(token >> 2)) else { return };
        match token & 3 {
            LIFELINE => {
                if let Some(lifeline) = &environment.lifeline {
                    unwatch(&self.epoll, lifeline);
                }
                environment.kill();
            }
            ENDED => {
                if let Some(pidfd) = &environment.pidfd {
                    unwatch(&self.epoll, pidfd);
                }
                environment.reap();
            }
            _ => {}
        }
    }

    /// Removes the dead, and insists where something still lives.
    fn bury(&mut self) {
        for environment in self.environments.values_mut().filter(|environment| environment.is_dying()) {
            environment.kill();
        }
        let uids = &mut self.machine.uids;
        self.environments.retain(|_, environment| {
            let gone = environment.remove();
            if gone {
                uids.give_back(environment.uid);
            }
            !gone
        });
    }

    /// Fills the stocks. A failure here is met again, and reported, by the launch that needs it.
    fn refill(&mut self) {
        drop(self.machine.volumes.refill());
        while self.blanks.len() < self.machine.blank_stock {
            let Ok(blank) = Blank::start(&mut self.machine) else { return };
            self.blanks.push_back(blank);
        }
    }

    /// Answers one request; false when the API process is gone.
    fn answer(&mut self) -> bool {
        let request = match self.channel.receive::<Request>() {
            Ok(received) => received.value,
            // What cannot be read cannot be answered either: the two sides are not of one build.
            Err(_) => return false,
        };
        let Request::Launch(spec) = request;
        let sent = match self.launch(&spec) {
            Ok(delivery) => {
                let Delivery { launched, descriptors, handles } = delivery;
                let files = [&handles.freeze, &handles.cpu, &handles.peak, &handles.events, &handles.stat];
                let all: Vec<BorrowedFd<'_>> = descriptors.iter().chain(files).map(AsFd::as_fd).collect();
                self.channel.send(&Reply::Ok(launched), &all)
            }
            Err(failure) => self.channel.send(&Reply::Err(failure), &[]),
        };
        sent.is_ok()
    }

    fn launch(&mut self, spec: &Spec) -> Result<Delivery, LaunchFailure> {
        spec.check()?;
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
        let blank = match self.blanks.pop_front() {
            Some(blank) => blank,
            None => Blank::start(&mut self.machine)?,
        };
        let pid = blank.child.pid;
        match assign(&blank, spec, &mounts, volume) {
            Ok(assigned) => {
                let Assigned { listener, output, status, lifeline, handles } = assigned;
                let (watched, held) = lifeline;
                let launched = Launched { uid: blank.uid, pid, handles: handles.kind };
                self.keep(blank, Some(watched))?;
                Ok(Delivery { launched, descriptors: [listener, output, status, held], handles })
            }
            Err(failure) => {
                self.keep(blank, None)?;
                Err(failure)
            }
        }
    }

    /// Watches a sandbox from now on; one without lifeline is killed at once.
    fn keep(&mut self, blank: Blank, lifeline: Option<OwnedFd>) -> Result<(), StepError> {
        self.serial += 1;
        let mut environment = Environment::new(blank, lifeline);
        let token = self.serial << 2;
        let watch = |fd: &OwnedFd, kind: u64| {
            self.epoll.add(fd, EpollEvent::new(EpollFlags::EPOLLIN, token | kind)).at("watch a sandbox")
        };
        let pidfd = environment.pidfd.as_ref().map_or(Ok(()), |fd| watch(fd, ENDED));
        let watched =
            pidfd.and_then(|()| environment.lifeline.as_ref().map_or(Ok(()), |fd| watch(fd, LIFELINE)));
        if environment.is_dying() || watched.is_err() {
            environment.kill();
        }
        self.environments.insert(self.serial, environment);
        watched
    }

    /// Ends every sandbox and removes what the launcher made.
    pub(super) fn tear_down(mut self) {
        while let Some(blank) = self.blanks.pop_front() {
            drop(self.keep(blank, None));
        }
        self.environments.values_mut().for_each(Environment::kill);
        let deadline = Instant::now() + TEAR_DOWN_WAIT;
        let mut events = [EpollEvent::empty(); EVENTS];
        let _ = self.epoll.delete(self.channel.as_fd());
        while !self.environments.is_empty() && Instant::now() < deadline {
            for token in self.wait(&mut events) {
                self.note(token);
            }
            self.bury();
        }
        self.machine.groups.remove();
    }
}

fn unwatch(epoll: &Epoll, fd: impl AsFd) {
    // It is closed next, which would do as well but for copies that a clone may hold for a moment.
    let _ = epoll.delete(fd);
}

fn volume_failure(failure: StartFailure) -> LaunchFailure {
    match failure {
        StartFailure::Step(error) => error.into(),
        other => StepError { step: other.to_string(), errno: 0 }.into(),
    }
}

/// The ends that the API process gets, and the watched end of the lifeline.
struct Assigned {
    listener: OwnedFd,
    output: OwnedFd,
    status: OwnedFd,
    lifeline: (OwnedFd, OwnedFd),
    handles: Handles,
}

/// Makes a blank sandbox that of `spec`, up to the start of its program.
fn assign(blank: &Blank, spec: &Spec, mounts: &[OwnedFd], volume: bool) -> Result<Assigned, LaunchFailure> {
    let listener = blank.listener()?;
    let limits = Limits {
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
    blank.channel.send(&assignment(spec, volume), &inside).at("assign the sandbox")?;
    blank.channel.receive_within::<Progress>(INIT_WAIT).at("wait for containment")?.value?;
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
