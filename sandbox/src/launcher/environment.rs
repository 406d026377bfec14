//! A sandbox as the launcher sees it after it has been handed over: three things to watch and remove.

use std::os::fd::{AsFd, OwnedFd};

use super::blanks::Blank;
use crate::cgroup::Group;
use crate::sys;

/// A living or dying sandbox.
#[derive(Debug)]
pub(super) struct Environment {
    /// Gone when init has been reaped.
    pub(super) pidfd: Option<OwnedFd>,
    /// The launcher's end; the other one belongs to the API process. Gone when that has let go.
    pub(super) lifeline: Option<OwnedFd>,
    group: Box<dyn Group>,
    pub(super) uid: u32,
}

impl Environment {
    pub(super) fn new(blank: Blank, lifeline: Option<OwnedFd>) -> Self {
        Self { pidfd: Some(blank.child.pidfd), lifeline, group: blank.group, uid: blank.uid }
    }

    /// Whether it is to end.
    pub(super) fn is_dying(&self) -> bool {
        self.lifeline.is_none()
    }

    /// Starts its end: init dies, and the kernel kills all others of its pid namespace with it. Repeated
    /// until init is gone, because the holder of the freezer's file may freeze it again.
    pub(super) fn kill(&mut self) {
        self.lifeline = None;
        if let Some(pidfd) = &self.pidfd {
            // It may be dead already; that is what is wanted.
            drop(sys::process::kill(pidfd.as_fd()));
            self.group.thaw();
        }
    }

    /// Takes note that init has ended.
    pub(super) fn reap(&mut self) {
        if let Some(pidfd) = self.pidfd.take() {
            // Fails only if it was reaped before.
            drop(sys::process::reap(pidfd.as_fd()));
        }
    }

    /// Removes what is left of a dead one; true when nothing is.
    pub(super) fn remove(&self) -> bool {
        self.pidfd.is_none() && self.is_dying() && self.group.remove()
    }
}
