//! The store of a data directory: RocksDB, one column family per table and one for the due queue.
//!
//! Invariants, besides those of [`lambd_store`]:
//! - Only this crate knows RocksDB.
//! - One thread writes, the committer: it takes all waiting batches, checks each against the database and the
//!   earlier ones, and puts those that hold into one write. The batches of a round succeed or fail together.
//! - After one failed write every later commit is refused, because it is unknown what is on disk. A full or
//!   slow disk is not such a failure: nothing was written.
//! - A data directory that cannot be opened is not changed.
//!
//! Reads run on the blocking pool of the caller's tokio runtime, or on the caller's own thread if it has no
//! runtime.
#![expect(clippy::disallowed_types, reason = "the one crate that knows the database")]

mod acknowledged;
mod committer;
mod database;
mod due;
mod entry;
mod error;
mod family;
mod folder;
mod format;
mod inspect;
mod options;
mod plan;
mod round;
mod rows;

pub use error::OpenError;

use std::path::Path;
use std::sync::Arc;

use lambd_store::{
    Batch, BoxFuture, Claim, CommitError, Depth, Durability, Feed, Hub, RANGE_ROWS_MAX, Range, Row,
    RowVersion, Store, StoreError, Table, check_name,
};

use committer::Committer;
use database::Database;
use folder::Folder;

/// Refuses a data directory if the names in its `db` and the number in `db/format` show that it is not a
/// database of this lambd: one of a newer lambd or of another program, or an incomplete one. An absent one is
/// accepted. It changes nothing and reads no database, so root may call it on files that another user could
/// have written.
///
/// # Errors
/// [`OpenError`] says what to do.
pub fn refuse_at_first_sight(data_dir: &Path) -> Result<(), OpenError> {
    inspect::refuse_at_first_sight(&Folder::of(data_dir, data_dir))
}

/// The store of a data directory: `DATA_DIR/db`, locked by `DATA_DIR/db/lambd.lock` while the value exists.
///
/// Dropping it writes the waiting batches and closes the database, unless a read is still running.
#[derive(Debug)]
pub struct RocksStore {
    /// First, so that it is dropped, and its thread has ended, before the database is closed.
    committer: Committer,
    database: Arc<Database>,
    hub: Arc<Hub>,
}

impl RocksStore {
    /// Opens the store of `data_dir`. Both are created if they are missing, accessible only to their owner;
    /// an older format is converted. Messages call the data directory `name`, because a server uses a
    /// relative path for it. Blocks on the disk.
    ///
    /// The write-ahead log is replayed up to its first unreadable record; after a power loss no later record
    /// was acknowledged. Before anything is changed, it is checked that no acknowledged change is lost (see
    /// the module `acknowledged`).
    ///
    /// # Errors
    /// [`OpenError`] says what to do; the data directory is unchanged.
    pub fn open(data_dir: &Path, name: &Path) -> Result<Self, OpenError> {
        let database = Arc::new(Database::open(&Folder::of(data_dir, name))?);
        let hub = Arc::new(Hub::default());
        let committer =
            Committer::start(Arc::clone(&database), Arc::clone(&hub)).map_err(OpenError::Thread)?;
        Ok(Self { committer, database, hub })
    }

    /// Runs a read where blocking is allowed.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return read(&self.database) };
        let database = Arc::clone(&self.database);
        let interrupted = |_| StoreError::Database { detail: "a read was interrupted".into() };
        runtime.spawn_blocking(move || read(&database)).await.map_err(interrupted)?
    }
}

impl Store for RocksStore {
    fn get<'a>(&'a self, table: Table, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Row>, StoreError>> {
        let key = key.to_vec();
        Box::pin(self.read(move |database| database.get(table, key)))
    }

    fn range<'a>(&'a self, table: Table, range: &'a Range) -> BoxFuture<'a, Result<Vec<Row>, StoreError>> {
        let range = range.clone();
        Box::pin(self.read(move |database| database.range(table, &range)))
    }

    fn commit(&self, batch: Batch, durability: Durability) -> BoxFuture<'_, Result<RowVersion, CommitError>> {
        Box::pin(self.committer.commit(batch, durability))
    }

    fn watch(&self, table: Table) -> BoxFuture<'_, Result<Feed, StoreError>> {
        Box::pin(std::future::ready(self.hub.watch(table)))
    }

    fn claim<'a>(
        &'a self,
        queue: &'a str,
        now_ms: u64,
        max: usize,
        lease_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<Claim>, StoreError>> {
        Box::pin(self.committer.claim(queue, now_ms, max, lease_ms))
    }

    fn payload<'a>(
        &'a self,
        queue: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        let (checked, key) = (check_name("queue name", queue), due::payload_key(queue, id));
        Box::pin(self.read(move |database| checked.and_then(|()| database.read(family::EVENTS, &key))))
    }

    fn next_due<'a>(&'a self, queue: &'a str) -> BoxFuture<'a, Result<Option<u64>, StoreError>> {
        Box::pin(self.committer.next_due(queue))
    }

    fn depth<'a>(&'a self, queue: &'a str, now_ms: u64) -> BoxFuture<'a, Result<Depth, StoreError>> {
        let (checked, queue) = (check_name("queue name", queue), queue.to_owned());
        Box::pin(self.read(move |database| checked.and_then(|()| due::depth(database, &queue, now_ms))))
    }

    fn queues<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        let (after, limit) = (after.map(str::to_owned), limit.min(RANGE_ROWS_MAX));
        Box::pin(self.read(move |database| due::queues(database, after.as_deref(), limit)))
    }
}

#[cfg(test)]
mod tests;
