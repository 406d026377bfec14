//! Noticing that the memory of a group has run out.
//!
//! The kernel kills then, but it need not come to an end: on version 1 it kills one process at a time, and each has to
//! pay off the group's debt of CPU time first, which its last struggle for memory has made deep. So the launcher looks,
//! and ends the whole sandbox as version 2 does.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;

use nix::sys::epoll::EpollFlags;
use nix::sys::eventfd::{EfdFlags, EventFd};

use super::{open, write};

/// The counts that are looked for stand within this many bytes.
const TEXT_BYTES_MAX: usize = 512;

/// Tells when memory has run out.
#[derive(Debug)]
pub(crate) struct OomWatch {
    /// Version 1 only: made ready by the kernel.
    event: Option<EventFd>,
    /// `memory.oom_control` or `memory.events`.
    file: File,
}

impl OomWatch {
    /// Of a group of version 1.
    pub(super) fn v1(memory: &Path) -> Option<Self> {
        use std::os::fd::AsRawFd;
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK).ok()?;
        let file = open(memory, "memory.oom_control", false).ok()?;
        let registration = format!("{} {}", event.as_fd().as_raw_fd(), file.as_raw_fd());
        write(memory, "cgroup.event_control", &registration).ok()?;
        Some(Self { event: Some(event), file })
    }

    /// Of a group of version 2, whose file is notified of itself (of much else, too).
    pub(super) fn v2(folder: &Path) -> Option<Self> {
        Some(Self { event: None, file: open(folder, "memory.events", false).ok()? })
    }

    /// What to wait for, and how.
    pub(crate) fn event(&self) -> (BorrowedFd<'_>, EpollFlags) {
        match &self.event {
            Some(event) => (event.as_fd(), EpollFlags::EPOLLIN),
            None => (self.file.as_fd(), EpollFlags::EPOLLPRI),
        }
    }

    /// Whether the kernel has killed for want of memory. Afterwards the watch waits for the next event.
    pub(crate) fn has_killed(&self) -> bool {
        if let Some(event) = &self.event {
            // Without an event there is nothing to take.
            let _ = event.read();
        }
        let mut buffer = [0; TEXT_BYTES_MAX];
        let length = self.file.read_at(&mut buffer, 0).unwrap_or_default();
        let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
        count(&text, "oom_kill").is_some_and(|kills| kills > 0)
    }
}

/// The value of `name` in lines of `name value`.
pub(crate) fn count(text: &str, name: &str) -> Option<u64> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(' '));
    pairs.find(|(key, _)| *key == name).and_then(|(_, value)| value.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn counts_are_found_by_their_whole_name() {
        let v1 = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n";
        let v2 = "low 0\nhigh 0\nmax 7\noom 2\noom_kill 1\noom_group_kill 5\n";
        assert_eq!(
            (count(v1, "oom_kill"), count(v2, "oom_kill"), count("", "oom_kill")),
            (Some(3), Some(1), None)
        );
    }
}
