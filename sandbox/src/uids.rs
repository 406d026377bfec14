//! User ids: every living sandbox has its own.
//!
//! The kernel counts processes, inotify watches, pipe pages and queued signals per user id, so a function
//! could use up the share of another one with the same id. The launchers of a machine share the range by
//! locked files: each takes a block of 4,096.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::error::{At, StepError};

/// First user id of block 0. It is above all usual accounts of a host and below 2^31.
const BASE: u32 = 1_900_000_000;
/// User ids per block.
const BLOCK: u32 = 4_096;
/// Blocks per machine.
const BLOCKS_MAX: u32 = 1_024;

/// The block of one launcher. The lock lasts until the launcher and its guardian have ended.
#[derive(Debug)]
pub(crate) struct Uids {
    first: u32,
    next: u32,
    used: BTreeSet<u32>,
    lock: File,
}

impl Uids {
    /// Takes the first block that no other launcher has and under which no process lives: processes of a
    /// launcher that was killed together with its guardian may still use their ids.
    pub(crate) fn claim(folder: &Path) -> Result<Self, StepError> {
        Self::claim_where(folder, |first| !is_inhabited(first))
    }

    fn claim_where(folder: &Path, is_free: impl Fn(u32) -> bool) -> Result<Self, StepError> {
        for block in 0..BLOCKS_MAX {
            let path = folder.join(format!("uids-{block}.lock"));
            let Some(lock) = try_lock(&path)? else { continue };
            let first = BASE + block * BLOCK;
            // Checked while the lock is held: from now on no other launcher starts a process with these ids.
            if is_free(first) {
                return Ok(Self { first, next: 0, used: BTreeSet::new(), lock });
            }
        }
        Err(StepError { step: format!("find a free block of user ids in {}", folder.display()), errno: 0 })
    }

    /// The lock, which the guardian holds as well.
    pub(crate) fn lock(&self) -> BorrowedFd<'_> {
        self.lock.as_fd()
    }

    /// Returns a free id. Ids are used in turn, so that one that was just returned stays unused the longest.
    pub(crate) fn take(&mut self) -> Option<u32> {
        let slot = (0..BLOCK).map(|n| (self.next + n) % BLOCK).find(|slot| !self.used.contains(slot))?;
        self.used.insert(slot);
        self.next = (slot + 1) % BLOCK;
        Some(self.first + slot)
    }

    /// Returns an id; only after everything that ran under it has ended.
    pub(crate) fn give_back(&mut self, uid: u32) {
        self.used.remove(&uid.wrapping_sub(self.first));
    }
}

/// Whether any process of the machine has a user id of the block.
fn is_inhabited(first: u32) -> bool {
    // What cannot be looked at counts as taken.
    let Ok(entries) = std::fs::read_dir("/proc") else { return true };
    entries.flatten().any(|entry| {
        // Not readable when the entry is not a process or the process has just ended.
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        users(&status).any(|uid| (first..first + BLOCK).contains(&uid))
    })
}

/// The user ids (real, effective, saved, file system) in a `status` of `/proc`.
fn users(status: &str) -> impl Iterator<Item = u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
    line.split_whitespace().filter_map(|uid| uid.parse().ok())
}

/// Opens `path`, or makes it, and locks it; `None` when another process has the lock. The lock lasts until the last
/// descriptor of this opening is closed, that of a guardian included. So it must not be a type that unlocks when it is
/// dropped: that would take the lock from the guardian as well.
pub(crate) fn try_lock(path: &Path) -> Result<Option<File>, StepError> {
    let step = || format!("lock {}", path.display());
    let file = File::options().create(true).truncate(false).write(true).open(path).at(step())?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).at(step()),
    }
}

/// Makes a folder that only root can read, if it is absent.
pub(crate) fn private_folder(path: &Path) -> Result<(), StepError> {
    match DirBuilder::new().recursive(true).mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
    .at(format!("make {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_do_not_overlap_and_ids_rotate() {
        let folder = tempfile::tempdir().unwrap();
        let claim = || Uids::claim_where(folder.path(), |_| true).unwrap();
        let (mut first, mut second) = (claim(), claim());
        assert_eq!((first.take(), second.take()), (Some(BASE), Some(BASE + BLOCK)));

        first.give_back(BASE);
        assert_eq!(first.take(), Some(BASE + 1), "an id that was just returned is not reused at once");
        let rest: Vec<u32> = std::iter::from_fn(|| first.take()).collect();
        assert_eq!((rest.len(), rest.last()), (BLOCK as usize - 1, Some(&BASE)));
        assert_eq!(first.take(), None);

        drop(first);
        assert_eq!(claim().first, BASE, "a block is free again");
    }

    #[test]
    fn a_lock_lasts_as_long_as_any_of_its_descriptors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let launcher = try_lock(&path).unwrap().unwrap();
        let guardian = launcher.try_clone().unwrap();
        drop(launcher);
        assert!(try_lock(&path).unwrap().is_none(), "the guardian still has it");
        drop(guardian);
        assert!(try_lock(&path).unwrap().is_some());
    }

    #[test]
    fn a_block_with_living_processes_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let claimed = Uids::claim_where(folder.path(), |first| first != BASE).unwrap();
        assert_eq!(claimed.first, BASE + BLOCK);
        let status = "Name:\tx\nUid:\t1900000000\t1\t2\t3\nGid:\t7\n";
        assert_eq!(users(status).collect::<Vec<_>>(), [BASE, 1, 2, 3]);
        assert_eq!(users("").count(), 0);
        let own = nix::unistd::getuid().as_raw();
        assert!(is_inhabited(own) && !is_inhabited(BASE + BLOCKS_MAX * BLOCK));
    }
}
