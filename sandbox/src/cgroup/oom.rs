//! Notices that the memory of a group has run out.
//!
//! The kernel then kills, but this may take very long on version 1: it kills one process at a time, and each
//! must first pay off the group's debt of CPU time, which is large after its last attempts to get memory. So
//! the launcher watches the group and kills the whole sandbox, as version 2 does.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;

use nix::sys::epoll::EpollFlags;
use nix::sys::eventfd::{EfdFlags, EventFd};

use super::{open, write};

/// The counts that are needed are within this many bytes of the file.
const TEXT_BYTES_MAX: usize = 512;

/// Reports when the memory of a group has run out.
#[derive(Debug)]
pub(crate) struct OomWatch {
    /// Version 1 only: the kernel signals it.
    event: Option<EventFd>,
    /// `memory.oom_control` or `memory.events`.
    file: File,
}

impl OomWatch {
    /// For a group of version 1.
    pub(super) fn v1(memory: &Path) -> Option<Self> {
        use std::os::fd::AsRawFd;
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK).ok()?;
        let file = open(memory, "memory.oom_control", false).ok()?;
        let registration = format!("{} {}", event.as_fd().as_raw_fd(), file.as_raw_fd());
        write(memory, "cgroup.event_control", &registration).ok()?;
        Some(Self { event: Some(event), file })
    }

    /// For a group of version 2. The kernel reports changes of its file, of which out of memory is one.
    pub(super) fn v2(folder: &Path) -> Option<Self> {
        Some(Self { event: None, file: open(folder, "memory.events", false).ok()? })
    }

    /// The descriptor to wait for, and the kind of event.
    pub(crate) fn event(&self) -> (BorrowedFd<'_>, EpollFlags) {
        match &self.event {
            Some(event) => (event.as_fd(), EpollFlags::EPOLLIN),
            None => (self.file.as_fd(), EpollFlags::EPOLLPRI),
        }
    }

    /// Whether the kernel has killed because of memory. Afterwards the watch waits for the next event.
    pub(crate) fn has_killed(&self) -> bool {
        if let Some(event) = &self.event {
            // Fails when no event has come, which is fine.
            let _ = event.read();
        }
        let mut buffer = [0; TEXT_BYTES_MAX];
        let length = self.file.read_at(&mut buffer, 0).unwrap_or_default();
        let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
        count(&text, "oom_kill").is_some_and(|kills| kills > 0)
    }
}

/// Finds the value of `name` in lines of `name value`.
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
