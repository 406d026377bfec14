//! Durable state behind one narrow trait.
//!
//! [`Store`] is a sorted map per [`Table`] with point reads, bounded range reads and atomic batches that may
//! have expectations (compare-and-set by row [`RowVersion`]), a queue of entries with a due time, and a feed
//! of changes. The contract does not depend on an embedded database: all methods are asynchronous, other
//! writers may exist, and callers pass the time. [`MemStore`] is for tests.
//!
//! Invariants of every implementation; the suite in `server/store/suite` checks them:
//! - A commit is applied as a whole or not at all, also after a crash.
//! - A [`Durability::Synced`] commit that returned `Ok` survives power loss; a [`Durability::Buffered`] one
//!   survives the death of the process.
//! - A synced commit is visible only when it is on disk.
//! - A read or claim after the answer to a commit sees that commit.
//! - A queued entry is claimed by one claimer at a time, and is claimed again until it is acknowledged.
//!
//! Callers on a thread of their own wait for these futures with `tokio::runtime::Handle::block_on`.

mod batch;
mod error;
mod feed;
mod mem;
mod queue;
mod range;
pub mod record;
mod table;

pub use batch::{BATCH_BYTES_MAX, Batch, Durability, Expectation, KEY_BYTES_MAX, Op, VALUE_BYTES_MAX};
pub use error::{CommitError, StoreError};
pub use feed::{Change, FEED_CHANGES_MAX, Feed, Hub};
pub use mem::MemStore;
pub use queue::{CLAIMS_MAX, Claim, Depth, ENTRY_BYTES_MAX, NAME_BYTES_MAX, check_name};
pub use range::{Direction, RANGE_BYTES_MAX, RANGE_ROWS_MAX, Range};
pub use table::Table;

use std::fmt;
use std::pin::Pin;

/// The future type of the trait's methods.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The version of a row. The store gives each commit one that is larger than all before, so a row never has
/// the same version twice, not even after it was removed. Only the version of a buffered commit that was lost
/// in a power loss may be given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowVersion(pub u64);

impl RowVersion {
    /// The version of every row in a table without versions; see [`Table::is_versioned`].
    pub const NONE: Self = Self(0);
}

impl fmt::Display for RowVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// At most [`KEY_BYTES_MAX`] bytes.
    pub key: Vec<u8>,
    /// At most [`VALUE_BYTES_MAX`] bytes.
    pub value: Vec<u8>,
    /// The version of the last commit that wrote the row.
    pub version: RowVersion,
}

/// A transactional, sorted key-value store with a due queue and a feed of changes.
///
/// A future that is dropped before its end may or may not take effect. A warm synchronous invocation calls
/// none of these methods.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Returns the row of `key`, if it exists.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or finds damaged data.
    fn get<'a>(&'a self, table: Table, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Row>, StoreError>>;

    /// Returns the rows of `range`, in its direction, as many as its limits allow. With a limit on bytes it
    /// still returns at least one row, so that paging always advances.
    ///
    /// # Errors
    /// Those of [`Store::get`].
    fn range<'a>(&'a self, table: Table, range: &'a Range) -> BoxFuture<'a, Result<Vec<Row>, StoreError>>;

    /// Applies `batch` atomically if all its expectations hold, and returns the version that all rows written
    /// by it now have. Commits have one order, in which each sees all earlier ones.
    ///
    /// # Errors
    /// [`CommitError::Conflict`], [`CommitError::Exists`] and [`CommitError::LeaseLost`] name the first
    /// condition that does not hold; nothing was written. Nothing was written either after
    /// [`StoreError::Stalled`] and after errors about the batch itself. After any other error the batch is
    /// not visible now, but may be found applied as a whole when the store is opened again.
    fn commit(&self, batch: Batch, durability: Durability) -> BoxFuture<'_, Result<RowVersion, CommitError>>;

    /// Subscribes to the changes of `table` from now on. To keep a copy of the table, call this first, then
    /// read everything, then follow the feed.
    ///
    /// # Errors
    /// [`StoreError::Unversioned`] for a table without versions; otherwise those of [`Store::get`].
    fn watch(&self, table: Table) -> BoxFuture<'_, Result<Feed, StoreError>>;

    /// Claims up to `max` entries of `queue` that are due at `now_ms`, at most [`CLAIMS_MAX`], and hides them
    /// for `lease_ms`. The order is that of their due times, then of their ids. [`Batch::enqueue`] adds
    /// entries and [`Batch::ack`] removes them. An entry that is not acknowledged, released
    /// ([`Batch::release`]) or extended ([`Batch::extend`]) before its lease ends can be claimed again, also
    /// after a crash. A power loss may end leases early.
    ///
    /// # Errors
    /// Those of [`Store::commit`], except the ones about expectations.
    fn claim<'a>(
        &'a self,
        queue: &'a str,
        now_ms: u64,
        max: usize,
        lease_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<Claim>, StoreError>>;

    /// Returns the payload of an entry; `None` if there is no such entry.
    ///
    /// # Errors
    /// Those of [`Store::get`].
    fn payload<'a>(
        &'a self,
        queue: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>>;

    /// Returns the earliest time, in milliseconds since 1970, at which [`Store::claim`] returns an entry of
    /// `queue`: when it is due, or when its lease ends. `None` if the queue is empty.
    ///
    /// # Errors
    /// Those of [`Store::get`].
    fn next_due<'a>(&'a self, queue: &'a str) -> BoxFuture<'a, Result<Option<u64>, StoreError>>;

    /// Counts the entries of `queue` at `now_ms`. It reads up to [`RANGE_ROWS_MAX`] entries, so it is not for
    /// every invocation.
    ///
    /// # Errors
    /// Those of [`Store::get`].
    fn depth<'a>(&'a self, queue: &'a str, now_ms: u64) -> BoxFuture<'a, Result<Depth, StoreError>>;

    /// Returns up to `limit` names (at most [`RANGE_ROWS_MAX`]) of queues that have entries, after the name
    /// `after`, in the order of their bytes. A restart uses it to find the work that is left.
    ///
    /// # Errors
    /// Those of [`Store::get`].
    fn queues<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>>;
}

/// Calls `visit` with every row of `range`, page by page, for callers that need more than the limits of one
/// read: a restart that rebuilds its state in memory.
///
/// # Errors
/// The first error of the store or of `visit`.
pub async fn for_each<E: From<StoreError>>(
    store: &dyn Store,
    table: Table,
    mut range: Range,
    mut visit: impl FnMut(Row) -> Result<(), E>,
) -> Result<(), E> {
    loop {
        let rows = store.range(table, &range).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        range = range.after(&last.key);
        for row in rows {
            visit(row)?;
        }
    }
}
