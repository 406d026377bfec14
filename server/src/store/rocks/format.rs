//! The format of the data directory as a whole. Kinds of record have versions of their own.

use super::{DB, RocksStore, error, options};
use crate::store::{Batch, CommitError, Durability, Store as _, StoreError, Table};
use std::path::Path;

/// The format that this program writes, and the newest that it reads.
const FORMAT: u32 = 1;
const KEY: &[u8] = b"format";

/// Refuses a database with tables that this program does not know, which RocksDB could not open either.
pub(super) fn refuse_unknown_tables(data_dir: &Path, db: &Path) -> Result<(), StoreError> {
    let is_known = |name: &str| {
        name == rocksdb::DEFAULT_COLUMN_FAMILY_NAME || Table::ALL.iter().any(|table| table.name() == name)
    };
    let names = DB::list_cf(&options::inspection(), db).map_err(error)?;
    match names.iter().find(|name| !is_known(name)) {
        Some(name) => Err(newer(data_dir, format!("with a table {name:?}"))),
        None => Ok(()),
    }
}

/// Refuses a newer format; writes ours into a new database.
pub(super) fn check(store: &RocksStore, data_dir: &Path) -> Result<(), StoreError> {
    match store.get(Table::Meta, KEY)? {
        None => {
            let batch =
                Batch::new().expect_absent(Table::Meta, KEY).put(Table::Meta, KEY, FORMAT.to_string());
            store.commit(batch, Durability::Synced).map_err(|error| match error {
                CommitError::Store(error) => error,
                CommitError::Conflict { .. } => StoreError::Database { detail: error.to_string() },
            })
        }
        Some(bytes) => match String::from_utf8_lossy(&bytes).parse::<u32>() {
            Ok(found) if found <= FORMAT => Ok(()),
            _ => Err(newer(data_dir, String::from_utf8_lossy(&bytes).into_owned())),
        },
    }
}

fn newer(data_dir: &Path, found: String) -> StoreError {
    StoreError::Newer { data_dir: data_dir.to_path_buf(), found, known: FORMAT }
}
