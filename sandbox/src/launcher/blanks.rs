//! Blank sandboxes: everything that does not depend on the function, made ahead of time.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::machine::Machine;
use crate::cgroup::{Group, GroupEntry, OomWatch};
use crate::error::{At, LaunchFailure, StepError};
use crate::init::{self, InitContext};
use crate::protocol::{Channel, Progress};
use crate::sys::process::{Child, Cloned, clone};

/// Longest wait for one step of an init.
pub(super) const INIT_WAIT: Duration = Duration::from_secs(10);

/// Namespaces of every sandbox. The cgroup namespace is made later, when init is in its group.
const NAMESPACES: i32 =
    libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::CLONE_NEWNET | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;

/// An init that waits for its function.
#[derive(Debug)]
pub(super) struct Blank {
    pub(super) child: Child,
    pub(super) channel: Channel,
    pub(super) group: Box<dyn Group>,
    pub(super) oom: Option<OomWatch>,
    pub(super) uid: u32,
}

impl Blank {
    /// Starts one. It prepares itself; [`Self::listener`] waits for that.
    pub(super) fn start(machine: &mut Machine) -> Result<Self, LaunchFailure> {
        let devices = machine.devices()?;
        let uid = machine.uids.take().ok_or(LaunchFailure::NoUid)?;
        let started = start(machine, &devices, uid);
        if started.is_err() {
            machine.uids.give_back(uid);
        }
        let (child, channel, group) = started?;
        let oom = group.oom_watch();
        Ok(Self { child, channel, group, oom, uid })
    }

    /// Whether it has not ended; also true when the kernel cannot tell.
    pub(super) fn is_alive(&self) -> bool {
        let mut ended = [PollFd::new(self.child.pidfd.as_fd(), PollFlags::POLLIN)];
        poll(&mut ended, PollTimeout::ZERO) != Ok(1)
    }

    /// Returns the Runtime API's listener once the init is ready.
    pub(super) fn listener(&self) -> Result<OwnedFd, LaunchFailure> {
        let mut received =
            self.channel.receive_within::<Progress>(INIT_WAIT).at("wait for a blank sandbox")?;
        received.value?;
        let missing = || StepError { step: "receive the listener".into(), errno: 0 };
        Ok(received.descriptors.pop().ok_or_else(missing)?)
    }
}

fn start(
    machine: &Machine,
    devices: &OwnedFd,
    uid: u32,
) -> Result<(Child, Channel, Box<dyn Group>), StepError> {
    let (here, there) = Channel::pair().at("make a channel")?;
    let mut group = machine.groups.create(&uid.to_string())?;
    let (groups, born) = match group.entry() {
        GroupEntry::Join(groups) => (groups, None),
        GroupEntry::Born(folder) => (Vec::new(), Some(folder)),
    };
    let flags = u64::from(NAMESPACES.cast_unsigned());
    match clone(flags, born.as_ref().map(AsFd::as_fd)) {
        Ok(Cloned::Child) => {
            init::run(InitContext { channel: &there, devices, groups, uid, filter: &machine.filter })
        }
        Ok(Cloned::Parent(child)) => Ok((child, here, group)),
        Err(error) => {
            group.remove();
            Err(error).at("make namespaces")
        }
    }
}
