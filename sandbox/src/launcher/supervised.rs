//! A sandbox after it was handed over to the API process, as the launcher watches and removes it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::epoll::EpollFlags;

use super::blanks::Blank;
use crate::cgroup::{Group, OomWatch};
use crate::sys;

/// Time until a sandbox that must end is killed again.
pub(super) const KILL_AGAIN_AFTER: Duration = Duration::from_millis(20);
/// Time until the second look. The kernel reports that memory has run out before it kills, and version 2
/// reports other events, too.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A sandbox that lives or is ending.
#[derive(Debug)]
pub(super) struct SupervisedSandbox {
    /// `None` when init has been reaped.
    pub(super) pidfd: Option<OwnedFd>,
    /// The launcher's end; the API process has the other end. `None` when the API process has closed it.
    pub(super) lifeline: Option<OwnedFd>,
    group: Box<dyn Group>,
    oom: Option<OomWatch>,
    /// When to check again whether the kernel has killed in it.
    look_again: Option<Instant>,
    killed_at: Option<Instant>,
    pub(super) uid: u32,
}

impl SupervisedSandbox {
    pub(super) fn new(blank: Blank, lifeline: Option<OwnedFd>) -> Self {
        let Blank { child, group, oom, uid, .. } = blank;
        Self { pidfd: Some(child.pidfd), lifeline, group, oom, look_again: None, killed_at: None, uid }
    }

    /// The descriptor and events that report that memory has run out.
    pub(super) fn oom_event(&self) -> Option<(BorrowedFd<'_>, EpollFlags)> {
        self.oom.as_ref().map(OomWatch::event)
    }

    /// Called when memory may have run out. If the kernel has killed a process, the others are killed, too;
    /// the groups stay until the API process has closed the lifeline, because it reads them. If not, a second
    /// look follows.
    pub(super) fn memory_may_be_out(&mut self) {
        if !self.end_if_out_of_memory() {
            self.look_again = Some(Instant::now() + LOOK_AGAIN);
        }
    }

    /// Whether a second look was due and found nothing, so that the next event must be waited for.
    pub(super) fn memory_was_not_out(&mut self, now: Instant) -> bool {
        self.look_again.take_if(|due| *due <= now).is_some() && !self.end_if_out_of_memory()
    }

    /// Whether a second look is still due.
    pub(super) fn awaits_second_look(&self) -> bool {
        self.look_again.is_some()
    }

    fn end_if_out_of_memory(&mut self) -> bool {
        let out = self.oom.as_ref().is_some_and(OomWatch::has_killed);
        if out {
            self.send_kill();
        }
        out
    }

    /// Whether it must end.
    pub(super) fn is_dying(&self) -> bool {
        self.lifeline.is_none()
    }

    /// Kills init; the kernel then kills all other processes of its pid namespace.
    pub(super) fn kill(&mut self) {
        self.lifeline = None;
        self.send_kill();
    }

    /// Kills it again if it must end and has not: the API process can have frozen it again by the freezer's
    /// file.
    pub(super) fn kill_again(&mut self, now: Instant) {
        if self.is_dying() && self.killed_at.is_none_or(|last| now.duration_since(last) >= KILL_AGAIN_AFTER) {
            self.send_kill();
        }
    }

    fn send_kill(&mut self) {
        self.killed_at = Some(Instant::now());
        if let Some(pidfd) = &self.pidfd {
            // It may have ended already, which is fine.
            let _ = sys::process::kill(pidfd.as_fd());
            self.group.release();
        }
    }

    /// Records that init has ended.
    pub(super) fn reap(&mut self) {
        if let Some(pidfd) = self.pidfd.take() {
            // Fails only if it was reaped before.
            let _ = sys::process::reap(pidfd.as_fd());
        }
    }

    /// Removes what is left after the end; true when nothing is left.
    pub(super) fn remove(&self) -> bool {
        self.pidfd.is_none() && self.is_dying() && self.group.remove()
    }
}
