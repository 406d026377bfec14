//! What can go wrong between the server and its store.

use crate::Table;

/// What can go wrong between the server and its store. `detail` is the database's own words.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A checksum failed, or stored data cannot be read.
    #[error("database is damaged: {detail}")]
    Damaged {
        /// What is damaged.
        detail: String,
    },
    /// The database has no space left. Commits work again, after some seconds, when it has.
    #[error("no space left for the database: {detail}")]
    Full {
        /// Where.
        detail: String,
    },
    /// The database has been too slow for the writes of the last seconds. Nothing was written.
    #[error("database is behind with its writes")]
    Stalled,
    /// An earlier write failed in a way that leaves open what is stored, so nothing is written any more
    /// until the server is started again.
    #[error("database takes no more changes since a write failed: {cause}")]
    ReadOnly {
        /// The error of the write that failed first.
        cause: String,
    },
    /// The database cannot be reached at present.
    #[error("database cannot be reached: {detail}")]
    Unavailable {
        /// Why.
        detail: String,
    },
    /// A key, a value, a batch or another part of a request is larger than the store takes.
    #[error("{what} of {bytes} bytes is over the limit of {limit_bytes} bytes")]
    TooLarge {
        /// Which of them.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
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
    /// An expectation or a feed on a table that has none.
    #[error("table {} has no row versions", table.name())]
    Unversioned {
        /// The table.
        table: Table,
    },
    /// The request itself cannot be carried out.
    #[error("store cannot do that: {detail}")]
    Invalid {
        /// What is wrong with it.
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
    /// An expectation did not hold; nothing was written.
    #[error("{} {:?} has changed meanwhile", table.name(), String::from_utf8_lossy(key))]
    Conflict {
        /// The table of the key.
        table: Table,
        /// The key whose version is not the expected one.
        key: Vec<u8>,
    },
    /// The queue has an entry with the id of one that was to be enqueued; nothing was written.
    #[error("queue {queue:?} has an entry {id:?} already")]
    Exists {
        /// The queue.
        queue: String,
        /// The id.
        id: String,
    },
    /// The claimed entry was acknowledged, released or claimed by another meanwhile; nothing was written.
    #[error("entry {id:?} of queue {queue:?} is no longer in the hands of this claimer")]
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
