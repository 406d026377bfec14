//! The folder of the database: its path, and its name in messages.

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use lambd_store::StoreError;

use crate::error::OpenError;
use crate::inspect::LOCK;

/// The folder's name in a data directory.
const NAME: &str = "db";

/// The folder of the database. The path that the process uses may differ from the one that the operator
/// knows, because it is relative to the working folder.
#[derive(Debug)]
pub(crate) struct Folder {
    /// The path that this process uses.
    pub(crate) path: PathBuf,
    /// The path that messages show.
    pub(crate) name: PathBuf,
    /// The path of the data directory that messages show.
    pub(crate) data_dir: PathBuf,
}

impl Folder {
    /// The folder in the data directory at `path`, which messages call `name`.
    pub(crate) fn of(path: &Path, name: &Path) -> Self {
        Self { path: path.join(NAME), name: name.join(NAME), data_dir: name.to_path_buf() }
    }

    /// Makes the folder and its missing parents, accessible only to their owner.
    pub(crate) fn create(&self) -> Result<(), OpenError> {
        let created = DirBuilder::new().recursive(true).mode(0o700).create(&self.path);
        created.map_err(|source| OpenError::Io { action: "create", path: self.name.clone(), source })
    }

    /// Takes the lock by which one process at a time has the database open.
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

    /// The error for a folder that is not a complete database of lambd.
    pub(crate) fn foreign(&self, found: String) -> OpenError {
        OpenError::Foreign { db: self.name.clone(), found }
    }

    /// Converts an error of the database while it is opened.
    pub(crate) fn unusable(&self, source: StoreError) -> OpenError {
        match source {
            StoreError::Damaged { detail } => OpenError::Damaged { db: self.name.clone(), detail },
            source => OpenError::Store { db: self.name.clone(), source },
        }
    }
}
