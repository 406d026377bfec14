//! A second process that waits for the launcher's end and then removes what is left.
//!
//! When the launcher is killed, the death signal kills its sandboxes, except those that version 1 keeps
//! frozen: they must be thawed before they can take a signal. The guardian thaws and kills them and removes
//! the groups. It also holds the launcher's locks, so that no other launcher gets the instance or its user
//! ids before that.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};

use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_name;

use super::machine::Machine;
use crate::cgroup::Hierarchy;
use crate::error::{At, StepError};
use crate::identity;
use crate::sys::process::{Child, Cloned, clone, exit};
use crate::sys::{self, fd};

/// How often a sweep (of some seconds) is tried. User ids of processes that survive it stay in use, because a
/// launcher looks for such processes before it takes a block.
const TRIES: usize = 5;
/// Descriptor of the launcher's process, and of its locks.
const LAUNCHER: i32 = 3;
const LOCKS: [i32; 2] = [4, 5];
/// Descriptors are first moved to numbers from here on, where the fixed numbers do not collide with them.
const HIGH: i32 = 64;

/// Starts the guardian of the calling process.
pub(super) fn start(machine: &Machine) -> Result<Child, StepError> {
    let step = "start the guardian";
    let pid = i32::try_from(std::process::id()).unwrap_or_default();
    let launcher = sys::process::open(pid).at(step)?;
    match clone(0, None).at(step)? {
        Cloned::Parent(child) => Ok(child),
        Cloned::Child => {
            let [instance, uids] = machine.locks();
            if keep_only([launcher.as_fd(), instance, uids]).is_ok() {
                guard(machine.groups.as_ref());
            }
            exit(0)
        }
    }
}

/// Closes every other descriptor. Most of all the connection to the API process must not outlive the
/// launcher.
fn keep_only([launcher, instance, uids]: [BorrowedFd<'_>; 3]) -> Result<(), StepError> {
    let step = "sort descriptors";
    let null = File::options().read(true).write(true).open("/dev/null").at("open /dev/null")?;
    let kept = [
        (null.as_fd(), 0),
        (null.as_fd(), 1),
        (null.as_fd(), 2),
        (launcher, LAUNCHER),
        (instance, LOCKS[0]),
        (uids, LOCKS[1]),
    ];
    let high = kept.map(|(from, to)| (fcntl(from, FcntlArg::F_DUPFD_CLOEXEC(HIGH)), to));
    for (from, to) in high {
        fd::place(fd::borrow(from.at(step)?), to, true).at(step)?;
    }
    fd::close_from(LOCKS[1] + 1).at(step)
}

fn guard(groups: &dyn Hierarchy) {
    // Only a label for `ps`.
    let _ = set_name(c"lambd-guardian");
    if identity::keep(&identity::GUARDIAN).is_err() {
        return;
    }
    let mut ended = [PollFd::new(fd::borrow(LAUNCHER), PollFlags::POLLIN)];
    while poll(&mut ended, PollTimeout::NONE) == Err(nix::Error::EINTR) {}
    // An error is not reported, because its reader, the launcher, has ended. The next start sweeps again and
    // reports.
    let _ = (0..TRIES).find(|_| groups.sweep().is_ok());
}
