//! The opened database: reads of any thread, and one write at a time by the committer.

use std::fs::File;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use lambd_store::{Direction, Durability, Range, Row, StoreError, Table};
use rocksdb::{ColumnFamily, DB, DBPinnableSlice, DBRawIterator, ReadOptions, WriteBatch, WriteOptions};

use crate::acknowledged::Acknowledged;
use crate::due::Lows;
use crate::error::{OpenError, sort};
use crate::family::Family;
use crate::folder::Folder;
use crate::{format, inspect, options, rows};

/// How long a write waits while flushes and compactions are behind.
const STALL_MAX: Duration = Duration::from_secs(5);
const STALL_STEP: Duration = Duration::from_millis(2);

pub(crate) struct Database {
    pub(crate) db: DB,
    pub(crate) lows: Lows,
    acknowledged: Acknowledged,
    /// The error of the first write that failed. It is unknown whether its bytes are on disk, and a second
    /// fsync could succeed without having written them ("fsyncgate"), so every later commit is refused.
    failed: OnceLock<String>,
    /// Only held, and dropped after the database is closed.
    _lock: File,
}

/// One change to the database.
#[derive(Debug)]
pub(crate) enum Write {
    Put(Family, Vec<u8>, Vec<u8>),
    Delete(Family, Vec<u8>),
    /// From the first key (included) to the second (excluded), which must be larger.
    DeleteRange(Family, Vec<u8>, Vec<u8>),
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("path", &self.db.path()).finish_non_exhaustive()
    }
}

impl Database {
    pub(crate) fn open(folder: &Folder) -> Result<Self, OpenError> {
        folder.create()?;
        inspect::refuse_at_first_sight(folder)?;
        let lock = folder.lock()?;
        inspect::refuse_what_is_not_ours(folder)?;
        let acknowledged = Acknowledged::open(folder)?;
        let db = DB::open_cf_descriptors(&options::database(), &folder.path, options::families())
            .map_err(|error| folder.unusable(sort(error)))?;
        let database = Self { db, lows: Lows::default(), acknowledged, failed: OnceLock::new(), _lock: lock };
        format::bring_up_to_date(&database).map_err(|error| folder.unusable(error))?;
        format::note(folder)?;
        Ok(database)
    }

    fn handle(&self, family: Family) -> Result<&ColumnFamily, StoreError> {
        let missing = || StoreError::Database { detail: format!("table {} is missing", family.name()) };
        self.db.cf_handle(family.name()).ok_or_else(missing)
    }

    /// Returns what is stored under `key`.
    pub(crate) fn pinned(
        &self,
        family: Family,
        key: &[u8],
    ) -> Result<Option<DBPinnableSlice<'_>>, StoreError> {
        self.db.get_pinned_cf(self.handle(family)?, key).map_err(sort)
    }

    pub(crate) fn read(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.pinned(family, key)?.map(|stored| stored.to_vec()))
    }

    pub(crate) fn get(&self, table: Table, key: Vec<u8>) -> Result<Option<Row>, StoreError> {
        let stored = self.pinned(Family::of(table), &key)?;
        stored.map(|stored| rows::decode(table, key, &stored)).transpose()
    }

    pub(crate) fn range(&self, table: Table, range: &Range) -> Result<Vec<Row>, StoreError> {
        let stored = self.scan(Family::of(table), range.first(), range.last(), range.direction())?;
        range.take(stored.map(|row| {
            let (key, stored) = row?;
            rows::decode(table, key, &stored)
        }))
    }

    /// The rows from `first` (included) to `last` (excluded); `None` means no bound.
    pub(crate) fn scan(
        &self,
        family: Family,
        first: Option<Vec<u8>>,
        last: Option<Vec<u8>>,
        direction: Direction,
    ) -> Result<Scan<'_>, StoreError> {
        let mut bounds = ReadOptions::default();
        if let Some(first) = first {
            bounds.set_iterate_lower_bound(first);
        }
        if let Some(last) = last {
            bounds.set_iterate_upper_bound(last);
        }
        let rows = self.db.raw_iterator_cf_opt(self.handle(family)?, bounds);
        Ok(Scan { rows, direction, has_begun: false })
    }

    /// The number of the last change. RocksDB numbers all changes in sequence, also after a restart.
    pub(crate) fn last_number(&self) -> u64 {
        self.db.latest_sequence_number()
    }

    fn write_batch(&self, writes: &[Write]) -> Result<WriteBatch, StoreError> {
        let mut batch = WriteBatch::default();
        for write in writes {
            match write {
                Write::Put(family, key, value) => batch.put_cf(self.handle(*family)?, key, value),
                Write::Delete(family, key) => batch.delete_cf(self.handle(*family)?, key),
                Write::DeleteRange(family, start, end) => {
                    batch.delete_range_cf(self.handle(*family)?, start, end);
                }
            }
        }
        Ok(batch)
    }

    /// Applies all of `writes` in their order, or none. For one thread only: the mark and the versions rely
    /// on a single writer.
    pub(crate) fn write(&self, writes: &[Write], durability: Durability) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        self.refuse_after_failure()?;
        let synced = durability == Durability::Synced;
        let mut options = WriteOptions::default();
        options.set_sync(synced);
        options.set_no_slowdown(true); // otherwise it waits as long as the disk is full
        let give_up_at = Instant::now() + STALL_MAX;
        loop {
            match self.db.write_opt(self.write_batch(writes)?, &options).map_err(sort) {
                Ok(()) if synced => {
                    let noted = self.acknowledged.advance(self.last_number());
                    return noted.map_err(|error| self.fail(&format!("cannot write the mark: {error}")));
                }
                Ok(()) => return Ok(()),
                Err(StoreError::Stalled) if Instant::now() < give_up_at => thread::sleep(STALL_STEP),
                Err(error @ (StoreError::Stalled | StoreError::Full { .. })) => return Err(error),
                Err(other) => return Err(self.fail(&other.to_string())),
            }
        }
    }

    /// Returns an error if a write has failed before.
    pub(crate) fn refuse_after_failure(&self) -> Result<(), StoreError> {
        match self.failed.get() {
            Some(cause) => Err(StoreError::ReadOnly { cause: cause.clone() }),
            None => Ok(()),
        }
    }

    fn fail(&self, error: &str) -> StoreError {
        let cause = self.failed.get_or_init(|| error.to_owned()).clone();
        StoreError::ReadOnly { cause }
    }
}

/// Keys and their stored values. It moves to the next key only when that is requested; RocksDB's own iterator
/// is always one key ahead, and to get there it may have to skip many removed keys.
pub(crate) struct Scan<'a> {
    rows: DBRawIterator<'a>,
    direction: Direction,
    has_begun: bool,
}

impl Iterator for Scan<'_> {
    type Item = Result<(Vec<u8>, Vec<u8>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        match (std::mem::replace(&mut self.has_begun, true), self.direction) {
            (false, Direction::Forward) => self.rows.seek_to_first(),
            (false, Direction::Reverse) => self.rows.seek_to_last(),
            (true, _) if !self.rows.valid() => return None,
            (true, Direction::Forward) => self.rows.next(),
            (true, Direction::Reverse) => self.rows.prev(),
        }
        match self.rows.item() {
            Some((key, stored)) => Some(Ok((key.to_vec(), stored.to_vec()))),
            None => self.rows.status().err().map(|error| Err(sort(error))),
        }
    }
}
