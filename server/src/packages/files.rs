//! File operations whose errors name the path.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::PackageError;

/// Makes the error of `action` on `path`.
pub(super) fn io(action: &'static str, path: &Path) -> impl Fn(io::Error) -> PackageError {
    move |source| match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            PackageError::DiskFull { path: path.to_path_buf() }
        }
        _ => PackageError::Io { action, path: path.to_path_buf(), source },
    }
}

/// Makes a directory for the server only, and its parents.
pub(super) fn create_dir(path: &Path) -> Result<(), PackageError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io("create", path))
}

/// Makes the entries of a directory durable.
pub(super) fn sync_dir(path: &Path) -> Result<(), PackageError> {
    File::open(path).and_then(|dir| dir.sync_all()).map_err(io("sync", path))
}

/// Writes a new file for the server only and makes its content durable.
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), PackageError> {
    let mut options = File::options();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(io("write", path))
}

/// A path that is removed with everything below it when this is dropped.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// An unused path in `parent`; nothing is made.
    pub(super) fn name(parent: &Path) -> Self {
        Self { path: parent.join(uuid::Uuid::new_v4().to_string()) }
    }

    /// Makes a new, empty directory in `parent`.
    pub(super) fn create(parent: &Path) -> Result<Self, PackageError> {
        let scratch = Self::name(parent);
        create_dir(&scratch.path)?;
        Ok(scratch)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                // The next start tries again.
                tracing::warn!(path = %self.path.display(), %error, "cannot remove");
            }
            _ => {}
        }
    }
}
