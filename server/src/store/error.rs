use super::Table;
use std::{io, path::PathBuf};

/// What can go wrong between the server and its data directory.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
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
    /// A checksum failed, or the files of the database do not fit together.
    #[error("database is damaged: {detail}")]
    Damaged {
        /// The database's own words.
        detail: String,
    },
    /// The file system is full. Commits work again some seconds after it has more than 64 MiB free, which
    /// RocksDB wants for its compactions.
    #[error("no space left for the database: {detail}")]
    Full {
        /// The database's own words.
        detail: String,
    },
    /// The disk has been too slow for the writes of the last seconds. Nothing was written.
    #[error("database is behind with its writes")]
    Stalled,
    /// An earlier write failed, so nothing is written any more until the server is started again.
    #[error("database takes no more changes since a write failed: {cause}")]
    ReadOnly {
        /// The error of the write that failed first.
        cause: String,
    },
    /// A key, a value or a batch is larger than the store takes.
    #[error("{what} of {bytes} bytes is over the limit of {limit_bytes} bytes")]
    TooLarge {
        /// Which of them.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
    /// An expectation on a table that has none.
    #[error("table {} takes no expectations", table.name())]
    Unguarded {
        /// The table.
        table: Table,
    },
    /// A file of the data directory could not be used.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Any other failure of the database.
    #[error("database failed: {detail}")]
    Database {
        /// The database's own words.
        detail: String,
    },
}

/// Why a batch was not committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// An expectation did not hold; nothing was written.
    #[error("{} {:?} has changed meanwhile", table.name(), String::from_utf8_lossy(key))]
    Conflict {
        /// The table of the key.
        table: Table,
        /// The key whose value is not the expected one.
        key: Vec<u8>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
