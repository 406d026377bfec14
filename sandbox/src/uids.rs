//! User ids: every living sandbox has one of its own.
//!
//! Kernel accounts (processes, inotify watches, pipe pages, queued signals) are kept per user id, so
//! a shared one would let a function take them from others. Launchers of one machine share the range
//! by locked files: each takes a block of 4,096.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use nix::fcntl::{Flock, FlockArg};

use crate::error::{At, StepError};

/// First user id of block 0. High enough to meet no account of the host, below 2^31.
const BASE: u32 = 1_900_000_000;
/// User ids per block.
const BLOCK: u32 = 4_096;
/// Blocks per machine.
const BLOCKS_MAX: u32 = 1_024;

/// The block of one launcher. The lock ends with the process.
#[derive(Debug)]
pub(crate) struct Uids {
    first: u32,
    next: u32,
    used: BTreeSet<u32>,
    _lock: Flock<File>,
}

impl Uids {
    /// Takes the first block that no other launcher has.
    pub(crate) fn claim(folder: &Path) -> Result<Self, StepError> {
        for block in 0..BLOCKS_MAX {
            let path = folder.join(format!("uids-{block}.lock"));
            if let Some(lock) = try_lock(&path)? {
                let first = BASE + block * BLOCK;
                return Ok(Self { first, next: 0, used: BTreeSet::new(), _lock: lock });
            }
        }
        Err(StepError { step: format!("find a free block of user ids in {}", folder.display()), errno: 0 })
    }

    /// A free id. Ids are handed out in turn, so that one just given back rests the longest.
    pub(crate) fn take(&mut self) -> Option<u32> {
        let slot = (0..BLOCK).map(|n| (self.next + n) % BLOCK).find(|slot| !self.used.contains(slot))?;
        self.used.insert(slot);
        self.next = (slot + 1) % BLOCK;
        Some(self.first + slot)
    }

    /// Gives an id back; only after everything that ran under it is gone.
    pub(crate) fn give_back(&mut self, uid: u32) {
        self.used.remove(&uid.wrapping_sub(self.first));
    }
}

/// Opens (and makes) `path` and locks it; `None` when another process holds the lock.
pub(crate) fn try_lock(path: &Path) -> Result<Option<Flock<File>>, StepError> {
    let step = || format!("lock {}", path.display());
    let file = File::options().create(true).truncate(false).write(true).open(path).at(step())?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, nix::Error::EWOULDBLOCK)) => Ok(None),
        Err((_, errno)) => Err(errno).at(step()),
    }
}

/// Makes a folder that only root can look into, where it is absent.
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
        let mut first = Uids::claim(folder.path()).unwrap();
        let mut second = Uids::claim(folder.path()).unwrap();
        assert_eq!((first.take(), second.take()), (Some(BASE), Some(BASE + BLOCK)));

        first.give_back(BASE);
        assert_eq!(first.take(), Some(BASE + 1), "an id just given back rests");
        let rest: Vec<u32> = std::iter::from_fn(|| first.take()).collect();
        assert_eq!((rest.len(), rest.last()), (BLOCK as usize - 1, Some(&BASE)));
        assert_eq!(first.take(), None);

        drop(first);
        assert_eq!(Uids::claim(folder.path()).unwrap().first, BASE, "a block is free again");
    }
}
