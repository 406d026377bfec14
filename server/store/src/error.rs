//! Errors of the store.

use crate::Table;

/// An error of the store. `detail` is a text of the database.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A checksum failed, or stored data cannot be read.
    #[error("database is damaged ({detail}): restore a backup of the data directory")]
    Damaged {
        /// What is damaged.
        detail: String,
    },
    /// The disk of the database is full. Commits work again some seconds after it has space.
    #[error("no space left for the database: {detail}")]
    Full {
        /// The path or the cause.
        detail: String,
    },
    /// The database has been too slow for the writes of the last seconds. Nothing was written.
    #[error("database is too slow for its writes")]
    Stalled,
    /// An earlier write failed, and what it stored is unknown. So nothing is written until the server is
    /// started again.
    #[error("database takes no more changes since a write failed: {cause}")]
    ReadOnly {
        /// The error of the write that failed first.
        cause: String,
    },
    /// The database cannot be reached now.
    #[error("database cannot be reached: {detail}")]
    Unavailable {
        /// The reason.
        detail: String,
    },
    /// A key, a value, a batch or another part of a request exceeds its limit.
    #[error("{what} of {bytes} bytes is over the limit of {limit_bytes} bytes")]
    TooLarge {
        /// The name of that part.
        what: &'static str,
        /// Its size in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit_bytes: usize,
    },
    /// A deleted range of a versioned table has more rows than one commit may remove,
    /// [`RANGE_ROWS_MAX`](crate::RANGE_ROWS_MAX).
    #[error("deleted range of table {} has more than {limit} rows", table.name())]
    TooMany {
        /// The table.
        table: Table,
        /// The limit.
        limit: usize,
    },
    /// The table has no versions, and so neither expectations nor a feed.
    #[error("table {} has no row versions", table.name())]
    Unversioned {
        /// The table.
        table: Table,
    },
    /// The request is not valid.
    #[error("invalid request to the store: {detail}")]
    Invalid {
        /// What is wrong with the request.
        detail: String,
    },
    /// Any other failure of the database.
    #[error("database failed: {detail}")]
    Database {
        /// What failed.
        detail: String,
    },
}

/// Why a batch was not committed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// An expectation does not hold; nothing was written.
    #[error("{} {:?} was changed by another commit", table.name(), String::from_utf8_lossy(key))]
    Conflict {
        /// The table of the key.
        table: Table,
        /// The key whose version is not the expected one.
        key: Vec<u8>,
    },
    /// The queue has an entry with the id that was to be enqueued; nothing was written.
    #[error("queue {queue:?} already has an entry {id:?}")]
    Exists {
        /// The queue.
        queue: String,
        /// The id.
        id: String,
    },
    /// The claimed entry was acknowledged, released or claimed by another since; nothing was written.
    #[error("entry {id:?} of queue {queue:?} is no longer claimed by this caller")]
    LeaseLost {
        /// The queue.
        queue: String,
        /// The id.
        id: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
