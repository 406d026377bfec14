//! A sandbox as the launcher sees it after it has been handed over: three things to watch and remove.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::epoll::EpollFlags;

use super::blanks::Blank;
use crate::cgroup::{Group, OomWatch};
use crate::sys;

/// Time until a sandbox that is to end is killed once more.
pub(super) const KILL_AGAIN_AFTER: Duration = Duration::from_millis(20);
/// The kernel tells that memory has run out before it kills, and version 2 tells much else: time until the next look.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A living or dying sandbox.
#[derive(Debug)]
pub(super) struct SupervisedSandbox {
    /// Gone when init has been reaped.
    pub(super) pidfd: Option<OwnedFd>,
    /// The launcher's end; the other one belongs to the API process. Gone when that has let go.
    pub(super) lifeline: Option<OwnedFd>,
    group: Box<dyn Group>,
    oom: Option<OomWatch>,
    /// When it is looked once more whether the kernel has killed in it.
    look_again: Option<Instant>,
    killed_at: Option<Instant>,
    pub(super) uid: u32,
}

impl SupervisedSandbox {
    pub(super) fn new(blank: Blank, lifeline: Option<OwnedFd>) -> Self {
        let Blank { child, group, oom, uid, .. } = blank;
        Self { pidfd: Some(child.pidfd), lifeline, group, oom, look_again: None, killed_at: None, uid }
    }

    /// What tells that its memory has run out.
    pub(super) fn oom_event(&self) -> Option<(BorrowedFd<'_>, EpollFlags)> {
        self.oom.as_ref().map(OomWatch::event)
    }

    /// Memory may have run out. If the kernel has killed, all else is killed, too; the groups stay until the API
    /// process lets go, for it reads them. If not, it is looked once more in a moment.
    pub(super) fn memory_may_be_out(&mut self) {
        if !self.end_if_out_of_memory() {
            self.look_again = Some(Instant::now() + LOOK_AGAIN);
        }
    }

    /// Whether a second look was due and found nothing: the next event is to be waited for.
    pub(super) fn memory_was_not_out(&mut self, now: Instant) -> bool {
        self.look_again.take_if(|due| *due <= now).is_some() && !self.end_if_out_of_memory()
    }

    /// Whether a second look is to come.
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

    /// Whether it is to end.
    pub(super) fn is_dying(&self) -> bool {
        self.lifeline.is_none()
    }

    /// Starts its end: init dies, and the kernel kills all others of its pid namespace with it.
    pub(super) fn kill(&mut self) {
        self.lifeline = None;
        self.send_kill();
    }

    /// Kills again what is to end and has not: the holder of the freezer's file may have frozen it again.
    pub(super) fn kill_again(&mut self, now: Instant) {
        if self.is_dying() && self.killed_at.is_none_or(|last| now.duration_since(last) >= KILL_AGAIN_AFTER) {
            self.send_kill();
        }
    }

    fn send_kill(&mut self) {
        self.killed_at = Some(Instant::now());
        if let Some(pidfd) = &self.pidfd {
            // It may be dead already; that is what is wanted.
            let _ = sys::process::kill(pidfd.as_fd());
            self.group.release();
        }
    }

    /// Takes note that init has ended.
    pub(super) fn reap(&mut self) {
        if let Some(pidfd) = self.pidfd.take() {
            // Fails only if it was reaped before.
            let _ = sys::process::reap(pidfd.as_fd());
        }
    }

    /// Removes what is left of a dead one; true when nothing is.
    pub(super) fn remove(&self) -> bool {
        self.pidfd.is_none() && self.is_dying() && self.group.remove()
    }
}
