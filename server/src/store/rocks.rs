//! The store on disk: RocksDB, one column family per table.
#![expect(clippy::disallowed_types, reason = "the one module that knows the database")]

mod format;
mod guards;
mod mark;
mod options;

use super::{
    Batch, CommitError, Direction, Durability, Range, Row, Store, StoreError, Table,
    batch::{Expectation, Op},
};
use guards::Guards;
use mark::Mark;
use rocksdb::{ColumnFamily, DB, ErrorKind, IteratorMode, ReadOptions, WriteBatch, WriteOptions};
use std::{
    fs::{DirBuilder, File, TryLockError},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

/// How long a commit waits while flushes and compactions are behind.
const STALL_MAX: Duration = Duration::from_secs(5);
const STALL_STEP: Duration = Duration::from_millis(2);

/// The store of a data directory: `DATA_DIR/db`, locked through `DATA_DIR/db/lambd.lock` for as long as it lives.
pub struct RocksStore {
    db: DB,
    guards: Guards,
    mark: Mark,
    /// The first write that failed. Whether its bytes reached the disk is unknown, and asking again would
    /// answer yes without having written them ("fsyncgate"), so every later commit is refused.
    failed: OnceLock<String>,
    /// Held, never read. Dropped after the database is closed.
    _lock: File,
}

impl std::fmt::Debug for RocksStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RocksStore").field("path", &self.db.path()).finish_non_exhaustive()
    }
}

impl RocksStore {
    /// Opens the store of `data_dir`, and creates both if they are missing, readable by their owner only.
    ///
    /// The write-ahead log is replayed up to its first unreadable record: after a power loss what lies
    /// behind it was never acknowledged. That acknowledged changes are not lost in this way is checked
    /// before anything is altered (see the module `mark`).
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Newer`], [`StoreError::LostChanges`], [`StoreError::Damaged`],
    /// or what the file system says.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        create_dir(data_dir)?;
        let path = data_dir.join("db");
        create_dir(&path)?;
        let lock = lock(data_dir, path.join("lambd.lock"))?;
        let mark = Mark::open(&path)?;
        if path.join("CURRENT").exists() {
            format::refuse_unknown_tables(data_dir, &path)?;
            mark.verify(&path)?;
        }
        let db = DB::open_cf_descriptors(&options::database(), &path, options::families()).map_err(error)?;
        let store = Self { db, guards: Guards::default(), mark, failed: OnceLock::new(), _lock: lock };
        format::check(&store, data_dir)?;
        Ok(store)
    }

    fn family(&self, table: Table) -> Result<&ColumnFamily, StoreError> {
        let missing = || StoreError::Database { detail: format!("table {} is missing", table.name()) };
        self.db.cf_handle(table.name()).ok_or_else(missing)
    }

    fn check(&self, expectation: &Expectation) -> Result<(), CommitError> {
        let family = self.family(expectation.table)?;
        let found = self.db.get_pinned_cf(family, &expectation.key).map_err(error)?;
        expectation.check(found.as_deref())
    }

    fn write_batch(&self, ops: &[Op]) -> Result<WriteBatch, StoreError> {
        let mut batch = WriteBatch::default();
        for op in ops {
            match op {
                Op::Put { table, key, value } => batch.put_cf(self.family(*table)?, key, value),
                Op::Delete { table, key } => batch.delete_cf(self.family(*table)?, key),
                Op::DeleteRange { table, start, end } if start < end => {
                    batch.delete_range_cf(self.family(*table)?, start, end);
                }
                Op::DeleteRange { .. } => {}
            }
        }
        Ok(batch)
    }

    fn write(&self, ops: &[Op], durability: Durability) -> Result<(), StoreError> {
        let synced = durability == Durability::Synced;
        let mut options = WriteOptions::default();
        options.set_sync(synced);
        options.set_no_slowdown(true); // or it would wait for as long as the disk is full
        let give_up_at = Instant::now() + STALL_MAX;
        loop {
            let batch = self.write_batch(ops)?;
            if batch.is_empty() {
                return Ok(());
            }
            let end = self.db.latest_sequence_number().saturating_add(batch.len() as u64);
            match self.db.write_opt(batch, &options).map_err(error) {
                // This batch was given numbers behind all that were visible before, so `end` is on disk.
                Ok(()) if synced => return self.mark.advance(end).map_err(|other| self.fail(&other)),
                Ok(()) => return Ok(()),
                Err(StoreError::Stalled) if Instant::now() < give_up_at => thread::sleep(STALL_STEP),
                Err(error @ (StoreError::Stalled | StoreError::Full { .. })) => return Err(error),
                Err(other) => return Err(self.fail(&other)),
            }
        }
    }

    fn fail(&self, error: &StoreError) -> StoreError {
        let cause = self.failed.get_or_init(|| error.to_string()).clone();
        StoreError::ReadOnly { cause }
    }
}

impl Store for RocksStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.db.get_cf(self.family(table)?, key).map_err(error)
    }

    fn range(&self, table: Table, range: &Range) -> Result<Vec<Row>, StoreError> {
        let mut bounds = ReadOptions::default();
        if let Some(first) = range.first() {
            bounds.set_iterate_lower_bound(first);
        }
        if let Some(last) = range.last() {
            bounds.set_iterate_upper_bound(last);
        }
        let mode = match range.direction {
            Direction::Forward => IteratorMode::Start,
            Direction::Reverse => IteratorMode::End,
        };
        let rows = self.db.iterator_cf_opt(self.family(table)?, bounds, mode);
        range.take(rows.map(|row| row.map(|(key, value)| (key.into_vec(), value.into_vec())))).map_err(error)
    }

    fn commit(&self, batch: Batch, durability: Durability) -> Result<(), CommitError> {
        batch.validate()?;
        if let Some(cause) = self.failed.get() {
            return Err(StoreError::ReadOnly { cause: cause.clone() }.into());
        }
        let _guard = self.guards.lock(&batch);
        for expectation in &batch.expectations {
            self.check(expectation)?;
        }
        Ok(self.write(&batch.ops, durability)?)
    }
}

fn create_dir(path: &Path) -> Result<(), StoreError> {
    let created = DirBuilder::new().recursive(true).mode(0o700).create(path);
    created.map_err(|source| StoreError::Io { action: "create", path: path.to_path_buf(), source })
}

fn lock(data_dir: &Path, path: PathBuf) -> Result<File, StoreError> {
    let io = |source| StoreError::Io { action: "lock", path: path.clone(), source };
    let file = File::options().write(true).create(true).truncate(false).open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::InUse { data_dir: data_dir.to_path_buf(), lock: path })
        }
        Err(TryLockError::Error(source)) => Err(io(source)),
    }
}

/// Sorts an error of the database by what can be done about it. Its binding gives text only.
fn error(source: rocksdb::Error) -> StoreError {
    let kind = source.kind();
    let detail = source.into_string();
    match kind {
        ErrorKind::IOError if detail.contains("No space left on device") => StoreError::Full { detail },
        ErrorKind::Incomplete => StoreError::Stalled,
        ErrorKind::Corruption => StoreError::Damaged { detail },
        _ => StoreError::Database { detail },
    }
}

#[cfg(test)]
mod tests;
