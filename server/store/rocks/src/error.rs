//! Errors that name files, and the conversion of RocksDB's errors.

use std::io;
use std::path::PathBuf;

use lambd_store::StoreError;
use rocksdb::ErrorKind;

/// Why the store of a data directory cannot be opened. The data directory is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has this data directory open.
    #[error("data directory {} is in use by another lambd (lock held on {})", data_dir.display(), lock.display())]
    InUse {
        /// The data directory.
        data_dir: PathBuf,
        /// The locked file.
        lock: PathBuf,
    },
    /// The data directory was written by a newer lambd.
    #[error(
        "data directory {} has format {found}, but this lambd knows formats up to {known}: use the newer lambd again",
        data_dir.display()
    )]
    Newer {
        /// The data directory.
        data_dir: PathBuf,
        /// The format that the data directory has.
        found: String,
        /// The newest format that this program reads.
        known: u32,
    },
    /// The folder of the database has other content, or only a part of a database.
    #[error(
        "{} is not a whole database of lambd ({found}): restore a backup, or choose another data directory",
        db.display()
    )]
    Foreign {
        /// The folder of the database.
        db: PathBuf,
        /// What was found in it.
        found: String,
    },
    /// The write-ahead log ends before a change that was acknowledged.
    #[error(
        "database {} is damaged: acknowledged changes up to {acknowledged} were on disk, but only {found} can be \
         read: restore a backup, or remove {} to continue without the lost changes",
        db.display(),
        mark.display()
    )]
    LostChanges {
        /// The folder of the database.
        db: PathBuf,
        /// Number of the last change known to have been on disk.
        acknowledged: u64,
        /// Number of the last change that can be read.
        found: u64,
        /// The file that holds `acknowledged`.
        mark: PathBuf,
    },
    /// A file of the data directory could not be used.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// The operation.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The committer's thread could not be started.
    #[error("cannot start the thread that writes to the database")]
    Thread(#[source] io::Error),
    /// A checksum failed, or stored data cannot be read.
    #[error("database {} is damaged ({detail}): restore a backup", db.display())]
    Damaged {
        /// The folder of the database.
        db: PathBuf,
        /// A text of the database about the damage.
        detail: String,
    },
    /// The database failed for another reason.
    #[error("cannot open the database {}; if its files are damaged, restore a backup", db.display())]
    Store {
        /// The folder of the database.
        db: PathBuf,
        /// The reason.
        source: StoreError,
    },
}

/// Converts an error of RocksDB, according to what can be done about it. Its binding has only a text for most
/// causes.
pub(crate) fn sort(source: rocksdb::Error) -> StoreError {
    const FULL: [&str; 2] = ["No space left on device", "Disk quota exceeded"];
    let kind = source.kind();
    let detail = source.into_string();
    match kind {
        ErrorKind::IOError if FULL.iter().any(|text| detail.contains(text)) => StoreError::Full { detail },
        ErrorKind::Incomplete => StoreError::Stalled,
        ErrorKind::Corruption => StoreError::Damaged { detail },
        _ => StoreError::Database { detail },
    }
}
