//! The format of the data directory as a whole. Kinds of record have versions of their own.
//!
//! - 1: the rows of all tables are stored as they are.
//! - 2: the rows of versioned tables have their version before the value (the module `rows`); there is a
//!   due queue (the module `due`).

use std::path::Path;

use lambd_store::{Direction, Durability, RowVersion, StoreError, Table};

use crate::database::{Database, Write};
use crate::error::OpenError;
use crate::family::{Family, META};
use crate::rows;

/// The format that this program writes, and the newest that it reads.
pub(crate) const FORMAT: u32 = 2;
/// The key of the format in the family `meta`: a decimal number, in every format.
pub(crate) const KEY: &[u8] = b"format";

/// Reads the stored format; one that this program does not know is given back as text.
pub(crate) fn parse(stored: &[u8]) -> Result<u32, String> {
    let text = String::from_utf8_lossy(stored);
    text.parse().ok().filter(|format| (1..=FORMAT).contains(format)).ok_or_else(|| text.into_owned())
}

pub(crate) fn newer(data_dir: &Path, found: String) -> OpenError {
    OpenError::Newer { data_dir: data_dir.to_path_buf(), found, known: FORMAT }
}

/// Writes the format into a new database, and brings one of an older format to ours.
///
/// All of it is one synced write, which RocksDB logs as one record with a checksum: killed in between, the
/// record is whole and the database has the new format, or it is not and the database has the old one.
pub(crate) fn bring_up_to_date(database: &Database) -> Result<(), StoreError> {
    let mut writes = Vec::new();
    match database.read(META, KEY)?.as_deref().map(parse) {
        Some(Ok(FORMAT)) => return Ok(()),
        Some(Ok(_)) => add_versions(database, &mut writes)?,
        None => {}
        Some(Err(found)) => {
            return Err(StoreError::Database { detail: format!("format {found} is unknown") });
        }
    }
    writes.push(Write::Put(META, KEY.to_vec(), FORMAT.to_string().into_bytes()));
    database.write(&writes, Durability::Synced)
}

/// From 1 to 2. Takes the memory of all rows of the versioned tables: some KiB per function.
fn add_versions(database: &Database, writes: &mut Vec<Write>) -> Result<(), StoreError> {
    // The first of the numbers that this write takes.
    let version = RowVersion(database.last_number().saturating_add(1));
    for table in Table::ALL.into_iter().filter(|table| table.is_versioned()) {
        let family = Family::of(table);
        for row in database.scan(family, None, None, Direction::Forward)? {
            let (key, value) = row?;
            let stored = rows::encode(table, version, value);
            writes.push(Write::Put(family, key, stored));
        }
    }
    Ok(())
}
