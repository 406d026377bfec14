//! Errors that name files, and RocksDB's own.

use std::io;
use std::path::PathBuf;

use lambd_store::StoreError;
use rocksdb::ErrorKind;

/// Why the store of a data directory cannot be opened. The data directory is as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process serves this data directory.
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
        /// What the data directory says about itself.
        found: String,
        /// The newest format that this program reads.
        known: u32,
    },
    /// The folder of the database holds something else, or a part of a database only.
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
    /// The write-ahead log ends before a change that had been acknowledged.
    #[error(
        "database {} is damaged: acknowledged changes up to {acknowledged} were on disk, but only {found} can be \
         read: restore a backup, or remove {} to go on without the lost changes",
        db.display(),
        mark.display()
    )]
    LostChanges {
        /// The folder of the database.
        db: PathBuf,
        /// The last change known to have been on disk, a running number.
        acknowledged: u64,
        /// The last change that can be read back.
        found: u64,
        /// The file that holds `acknowledged`.
        mark: PathBuf,
    },
    /// A file of the data directory could not be used.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The committer could not be started.
    #[error("cannot start the thread that writes to the database")]
    Thread(#[source] io::Error),
    /// A checksum failed, or what is stored cannot be read.
    #[error("database {} is damaged ({detail}): restore a backup", db.display())]
    Damaged {
        /// The folder of the database.
        db: PathBuf,
        /// What is damaged, in the database's own words.
        detail: String,
    },
    /// The database failed otherwise.
    #[error("cannot open the database {}", db.display())]
    Store {
        /// The folder of the database.
        db: PathBuf,
        /// Why.
        source: StoreError,
    },
}

/// Sorts an error of RocksDB by what can be done about it. Its binding gives text only.
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
