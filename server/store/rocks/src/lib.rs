//! The store of a data directory: RocksDB, one column family per table and one for the due queue.
//!
//! Invariants, besides those of [`lambd_store`]:
//! - Only this crate knows RocksDB.
//! - One thread writes, the committer: it takes all batches that wait, checks each against the database and
//!   those before it, and puts what holds into one write. All of one round share the fate of that write.
//! - After a failed write no later commit is accepted: a disk that lied once is not asked again. A full disk
//!   and a slow one have written nothing, so that they are no such failure.
//! - A data directory that cannot be opened stays as it is.
//!
//! Reads run on the blocking pool of the caller's tokio runtime, and on the caller's own thread where there
//! is no runtime.
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

/// Refuses a data directory whose `db` can be seen to be no database of this lambd from the names in it and the
/// number in `db/format` alone: one of a newer lambd, another program's, a part of one. One that is absent is fine.
/// Nothing is altered, no database is read: root may call it on files that somebody else could have written.
///
/// # Errors
/// [`OpenError`] says what to do.
pub fn refuse_at_first_sight(data_dir: &Path) -> Result<(), OpenError> {
    inspect::refuse_at_first_sight(&Folder::of(data_dir, data_dir))
}

/// The store of a data directory: `DATA_DIR/db`, locked through `DATA_DIR/db/lambd.lock` for as long as it lives.
///
/// Dropping it writes what waits and closes the database, unless a read is still running.
#[derive(Debug)]
pub struct RocksStore {
    /// First, so that it has ended when the database is closed.
    committer: Committer,
    database: Arc<Database>,
    hub: Arc<Hub>,
}

impl RocksStore {
    /// Opens the store of `data_dir`, and creates both if they are missing, readable by their owner only.
    /// One of an older format is brought to the present one. Messages call the data directory `name`: a server
    /// reaches its own by a relative path. Blocks on the disk.
    ///
    /// The write-ahead log is replayed up to its first unreadable record: after a power loss what lies
    /// behind it was never acknowledged. That acknowledged changes are not lost in this way is checked
    /// before anything is altered (see the module `acknowledged`).
    ///
    /// # Errors
    /// [`OpenError`] says what to do; the data directory is as it was.
    pub fn open(data_dir: &Path, name: &Path) -> Result<Self, OpenError> {
        let database = Arc::new(Database::open(&Folder::of(data_dir, name))?);
        let hub = Arc::new(Hub::default());
        let committer =
            Committer::start(Arc::clone(&database), Arc::clone(&hub)).map_err(OpenError::Thread)?;
        Ok(Self { committer, database, hub })
    }

    /// Runs a read where it may block.
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
