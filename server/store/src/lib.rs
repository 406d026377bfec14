//! Durable state behind one narrow trait.
//!
//! [`Store`] is a sorted map per [`Table`] with point reads, bounded range reads and atomic batches that
//! may carry expectations (compare-and-set by row [`RowVersion`]), a queue of entries with a due time, and a
//! feed of changes. Nothing is promised that only an embedded database keeps: all methods are
//! asynchronous, there may be other writers, and the time is always the caller's. [`MemStore`] is for tests.
//!
//! Invariants of every implementation; the suite in `server/store/suite` checks them:
//! - A commit is all or nothing, also across a crash.
//! - A [`Durability::Synced`] commit that returned `Ok` survives power loss; a [`Durability::Buffered`]
//!   one survives the death of the process.
//! - No reader sees a synced commit before it is on disk.
//! - Whoever reads or claims after a commit was answered sees that commit.
//! - A queued entry is claimed by one claimer at a time, and given again until it is acknowledged.
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

/// A future of a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The version of a row: given by the store at each commit, larger than all that it gave before, so that it
/// never comes again for the same row, not even after the row was removed. Only what a power loss takes
/// back, a buffered commit, may have had a version that is given once more.
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
    /// Of the commit that wrote the row last.
    pub version: RowVersion,
}

/// A transactional, sorted key-value store with a due queue and a feed of changes.
///
/// A future that is dropped before its end may or may not take effect. Nothing on the path of a warm
/// synchronous invocation calls any of these methods.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// The row of `key`, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or finds damaged data.
    fn get<'a>(&'a self, table: Table, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Row>, StoreError>>;

    /// The rows of `range`, in its direction, at most as many as its limits allow. A limit on bytes still
    /// lets one row through, so that a caller who pages always moves on.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn range<'a>(&'a self, table: Table, range: &'a Range) -> BoxFuture<'a, Result<Vec<Row>, StoreError>>;

    /// Applies `batch` atomically if all its expectations hold, and gives the version that every row
    /// written by it now has. Commits have one order, in which each sees all that were before it.
    ///
    /// # Errors
    /// [`CommitError::Conflict`], [`CommitError::Exists`] and [`CommitError::LeaseLost`] name the first
    /// thing that is not as expected, and nothing was written; nor was it after [`StoreError::Stalled`] and
    /// what is said about the batch itself. After any other error the batch is not to be seen now, but may
    /// be found applied when the store is opened again, never in part.
    fn commit(&self, batch: Batch, durability: Durability) -> BoxFuture<'_, Result<RowVersion, CommitError>>;

    /// What changes in `table` from now on. To hold a copy of the table: watch, then read everything, then
    /// follow the feed.
    ///
    /// # Errors
    /// [`StoreError::Unversioned`] for a table without versions; otherwise as [`Store::get`].
    fn watch(&self, table: Table) -> BoxFuture<'_, Result<Feed, StoreError>>;

    /// Claims up to `max` entries of `queue` that are due at `now_ms`, the longest due first and
    /// equals by their ids, and hides them for `lease_ms`. At most [`CLAIMS_MAX`]. Entries go in with [`Batch::enqueue`] and out with
    /// [`Batch::ack`]; who does neither that nor [`Batch::release`] nor [`Batch::extend`] loses them to
    /// another claim when the lease is over, also after a crash. A power loss may end leases early.
    ///
    /// # Errors
    /// As [`Store::commit`], without its expectations.
    fn claim<'a>(
        &'a self,
        queue: &'a str,
        now_ms: u64,
        max: usize,
        lease_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<Claim>, StoreError>>;

    /// The payload of an entry; `None` if there is no such entry.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn payload<'a>(
        &'a self,
        queue: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>>;

    /// The earliest time, in milliseconds, at which [`Store::claim`] gives an entry of `queue`: when it is
    /// due, or when the lease on it ends. `None` if the queue is empty.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn next_due<'a>(&'a self, queue: &'a str) -> BoxFuture<'a, Result<Option<u64>, StoreError>>;

    /// What waits in `queue` at `now_ms`. Reads up to [`RANGE_ROWS_MAX`] entries: not for each invocation.
    ///
    /// # Errors
    /// As [`Store::get`].
    fn depth<'a>(&'a self, queue: &'a str, now_ms: u64) -> BoxFuture<'a, Result<Depth, StoreError>>;

    /// Up to `limit` names of queues that have entries, in the order of their bytes, behind `after`: what a
    /// restart has to go on with. At most [`RANGE_ROWS_MAX`].
    ///
    /// # Errors
    /// As [`Store::get`].
    fn queues<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>>;
}

/// Calls `visit` with every row of `range`, reading page after page, for callers to whom the limits of
/// one read do not matter: a restart that rebuilds its memory.
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
