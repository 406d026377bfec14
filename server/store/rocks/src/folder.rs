//! The folder of the database: how it is reached, and what messages call it.

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use lambd_store::StoreError;

use crate::error::OpenError;
use crate::inspect::LOCK;

/// Its name in a data directory.
const NAME: &str = "db";

/// A process may reach it by another path than the one that its operator knows: relative to its working folder.
#[derive(Debug)]
pub(crate) struct Folder {
    /// How it is reached.
    pub(crate) path: PathBuf,
    /// What messages call it.
    pub(crate) name: PathBuf,
    /// What messages call the data directory.
    pub(crate) data_dir: PathBuf,
}

impl Folder {
    /// That of the data directory that is reached as `path` and called `name`.
    pub(crate) fn of(path: &Path, name: &Path) -> Self {
        Self { path: path.join(NAME), name: name.join(NAME), data_dir: name.to_path_buf() }
    }

    /// Makes it and the folders above it if they are missing, for their owner only.
    pub(crate) fn create(&self) -> Result<(), OpenError> {
        let created = DirBuilder::new().recursive(true).mode(0o700).create(&self.path);
        created.map_err(|source| OpenError::Io { action: "create", path: self.name.clone(), source })
    }

    /// Takes the lock that says who has the database open.
    pub(crate) fn lock(&self) -> Result<File, OpenError> {
        let io = |source| OpenError::Io { action: "lock", path: self.name.join(LOCK), source };
        let options = File::options().write(true).create(true).truncate(false).open(self.path.join(LOCK));
        let file = options.map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                Err(OpenError::InUse { data_dir: self.data_dir.clone(), lock: self.name.join(LOCK) })
            }
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    /// It is not, or not wholly, a database of lambd.
    pub(crate) fn foreign(&self, found: String) -> OpenError {
        OpenError::Foreign { db: self.name.clone(), found }
    }

    /// The database itself failed.
    pub(crate) fn unusable(&self, source: StoreError) -> OpenError {
        match source {
            StoreError::Damaged { detail } => OpenError::Damaged { db: self.name.clone(), detail },
            source => OpenError::Store { db: self.name.clone(), source },
        }
    }
}
