//! The format of the data directory as a whole. Kinds of record have versions of their own.
//!
//! - 1: the rows of all tables are stored unchanged.
//! - 2: rows of versioned tables have their version before the value (the module `rows`); there is a due
//!   queue (the module `due`).

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use lambd_store::{Direction, Durability, RowVersion, StoreError, Table};
use nix::fcntl::OFlag;

use crate::database::{Database, Write};
use crate::error::OpenError;
use crate::family::{Family, META};
use crate::folder::Folder;
use crate::rows;

/// The format that this program writes, which is also the newest that it reads.
pub(crate) const FORMAT: u32 = 2;
/// Key of the format in the family `meta`; the value is a decimal number in every format.
pub(crate) const KEY: &[u8] = b"format";

/// File beside the database that repeats its format, for processes that must not read the database.
pub(crate) const NOTE: &str = "format";
/// More digits than any format has.
const NOTE_BYTES_MAX: u64 = 16;

/// Reads the stored format; if this program does not know it, returns its text as the error.
pub(crate) fn parse(stored: &[u8]) -> Result<u32, String> {
    let text = String::from_utf8_lossy(stored);
    text.parse().ok().filter(|format| (1..=FORMAT).contains(format)).ok_or_else(|| text.into_owned())
}

pub(crate) fn newer(folder: &Folder, found: String) -> OpenError {
    OpenError::Newer { data_dir: folder.data_dir.clone(), found, known: FORMAT }
}

/// The format in the file beside the database, if it is a larger number than ours.
pub(crate) fn check_note(folder: &Folder) -> Result<(), OpenError> {
    let noted = match read_note(&folder.path) {
        Ok(noted) => noted,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(folder.foreign(format!("{NOTE} cannot be read: {error}"))),
    };
    match noted.strip_suffix('\n').unwrap_or(&noted) {
        // What a kill between making and writing it leaves.
        "" => Ok(()),
        format => match format.parse::<u32>() {
            Ok(number) if number <= FORMAT => Ok(()),
            Ok(_) => Err(newer(folder, format.to_owned())),
            Err(_) => Err(folder.foreign(format!("{NOTE} {format:?}"))),
        },
    }
}

/// Writes the format of the database into the file beside it.
pub(crate) fn note(folder: &Folder) -> Result<(), OpenError> {
    let text = format!("{FORMAT}\n");
    if read_note(&folder.path).is_ok_and(|noted| noted == text) {
        return Ok(());
    }
    fs::write(folder.path.join(NOTE), text).map_err(|source| OpenError::Io {
        action: "write",
        path: folder.name.join(NOTE),
        source,
    })
}

/// Reads the start of that file, without following a link or waiting for a pipe.
fn read_note(db: &Path) -> io::Result<String> {
    let file = File::options()
        .read(true)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits())
        .open(db.join(NOTE))?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut text = String::new();
    file.take(NOTE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// Writes the format into a new database, and converts one of an older format to ours.
///
/// This is one synced write, which RocksDB logs as one record with a checksum. After a kill in between, the
/// record is complete and the database has the new format, or it is not and the database has the old one.
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

/// Converts format 1 to 2. Needs memory for all rows of the versioned tables: some KiB per function.
fn add_versions(database: &Database, writes: &mut Vec<Write>) -> Result<(), StoreError> {
    // The first number that this write gets.
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
