//! Durable state behind one narrow trait.
//!
//! [`Store`] is a sorted map per [`Table`] with point reads, bounded range reads and atomic batches that
//! may carry expectations (compare-and-set). Nothing else is promised, so that a networked database can
//! stand behind it later. [`RocksStore`] is the only place that knows RocksDB; [`MemStore`] is for tests.
//!
//! Invariants:
//! - A commit is all or nothing, also across a crash.
//! - A [`Durability::Synced`] commit that returned `Ok` survives power loss; a [`Durability::Buffered`]
//!   one survives the death of the process.
//! - No reader sees a synced commit before it is on disk.
//! - After a failed write no later commit is accepted: a disk that lied once is not asked again.

mod batch;
mod error;
mod mem;
mod range;
pub mod record;
mod rocks;
#[cfg(test)]
mod suite;

pub use batch::{Batch, Durability, KEY_BYTES_MAX, VALUE_BYTES_MAX};
pub use error::{CommitError, StoreError};
pub use mem::MemStore;
pub use range::{Direction, RANGE_BYTES_MAX, RANGE_ROWS_MAX, Range};
pub use rocks::RocksStore;

/// One row: its key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// A table of the store. A new table is a variant here, a line in [`Table::ALL`] and one in [`Table::name`];
/// it appears in existing data directories at their next opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Table {
    /// Facts about the data directory itself, such as its format version.
    Meta,
    /// Functions and all that belongs to one: versions, aliases, concurrency, tags, policies.
    Functions,
    /// What belongs to no single function: the account's settings, layers, event source mappings.
    Account,
    /// Accepted asynchronous invocations that are still to be run.
    Events,
    /// Log events.
    Logs,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 5] = [Self::Meta, Self::Functions, Self::Account, Self::Events, Self::Logs];

    /// The name under which the table is stored. Never changes: it is part of the on-disk format.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Functions => "functions",
            Self::Account => "account",
            Self::Events => "events",
            Self::Logs => "logs",
        }
    }

    /// Whether batches may hold expectations on this table.
    ///
    /// [`Table::Logs`] has one writer that never compares, and batches of thousands of keys: leaving it
    /// out keeps the guards of compare-and-set free for the other tables.
    #[must_use]
    pub const fn is_guarded(self) -> bool {
        !matches!(self, Self::Logs)
    }
}

/// A transactional, sorted key-value store.
///
/// All methods block. `get` and `range` of data in memory take microseconds and may be called inline from
/// a task; `commit` with [`Durability::Synced`] waits for the disk and belongs in `spawn_blocking`.
/// Nothing on the path of a warm invocation calls any of them.
pub trait Store: std::fmt::Debug + Send + Sync + 'static {
    /// The value of `key`, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or finds damaged data.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The rows of `range`, in its direction, at most as many as its limits allow. A limit on bytes still
    /// lets one row through, so that a caller who pages always moves on.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn range(&self, table: Table, range: &Range) -> Result<Vec<Row>, StoreError>;

    /// Applies `batch` atomically if all its expectations hold. Among concurrent commits that expect or
    /// write the same key, one is wholly before the other.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] names the first key whose expectation failed, and nothing was written.
    /// After any other error the batch may be found applied or absent, never in part, by the next start.
    fn commit(&self, batch: Batch, durability: Durability) -> Result<(), CommitError>;
}

/// Calls `visit` with every row of `range`, reading page after page, for callers to whom the limits of
/// one read do not matter: a restart that rebuilds its memory.
///
/// # Errors
/// The first error of the store or of `visit`.
pub fn for_each<E: From<StoreError>>(
    store: &dyn Store,
    table: Table,
    mut range: Range,
    mut visit: impl FnMut(&[u8], Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    loop {
        let rows = store.range(table, &range)?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        range = range.after(last);
        for (key, value) in rows {
            visit(&key, value)?;
        }
    }
}
