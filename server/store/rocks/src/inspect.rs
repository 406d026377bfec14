//! A look at the folder of the database before anything in it is altered.

use std::fs;
use std::path::Path;

use lambd_store::StoreError;
use rocksdb::{DB, DEFAULT_COLUMN_FAMILY_NAME, IteratorMode};

use crate::error::{OpenError, sort};
use crate::family::{Family, META};
use crate::{acknowledged, format, options};

/// What names the newest parts of a database; created last, replaced whole.
const CURRENT: &str = "CURRENT";

/// Refuses a folder without a database but with files that its creation does not leave behind when it is
/// interrupted: RocksDB would take them for rubbish of its own and remove them. Alters nothing at all.
pub(crate) fn refuse_remains(db: &Path) -> Result<(), OpenError> {
    if db.join(CURRENT).exists() {
        return Ok(());
    }
    let io = |source| OpenError::Io { action: "list", path: db.to_path_buf(), source };
    for entry in fs::read_dir(db).map_err(io)? {
        let name = entry.map_err(io)?.file_name().to_string_lossy().into_owned();
        if !is_left_by_creation(&name) {
            return Err(foreign(db, format!("{name} without {CURRENT}")));
        }
    }
    match acknowledged::read(db) {
        0 => Ok(()),
        _ => Err(foreign(db, format!("{} without {CURRENT}", acknowledged::NAME))),
    }
}

fn is_left_by_creation(name: &str) -> bool {
    // The last one is there where the folder is a file system of its own.
    const NAMES: [&str; 7] =
        ["lambd.lock", acknowledged::NAME, "LOCK", "LOG", "IDENTITY", "MANIFEST-000001", "lost+found"];
    let is_temporary = || Path::new(name).extension().is_some_and(|extension| extension == "dbtmp");
    NAMES.contains(&name) || name.starts_with("LOG.old.") || is_temporary()
}

/// Refuses what a newer lambd or another program wrote, and a database that has lost acknowledged changes.
/// Opens the database read-only.
pub(crate) fn refuse_what_is_not_ours(data_dir: &Path, db: &Path) -> Result<(), OpenError> {
    if !db.join(CURRENT).exists() {
        return Ok(());
    }
    let names = DB::list_cf(&options::inspection(), db).map_err(sort)?;
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if let Some(name) = names.iter().find(|name| known().all(|known| known != *name)) {
        return Err(if has(META.name()) {
            format::newer(data_dir, format!("with a table {name:?}"))
        } else {
            foreign(db, format!("a table {name:?}"))
        });
    }
    let present = known().filter(|name| has(name));
    let view = DB::open_cf_for_read_only(&options::inspection(), db, present, false).map_err(sort)?;
    let (acknowledged, found) = (acknowledged::read(db), view.latest_sequence_number());
    // All tables are made before the first change: without one, its rows would be skipped as those of a removed table.
    if let Some(missing) = known().find(|name| acknowledged > 0 && !has(name)) {
        return Err(foreign(db, format!("without the table {missing:?}")));
    }
    if found < acknowledged {
        let (db, mark) = (db.to_path_buf(), db.join(acknowledged::NAME));
        return Err(OpenError::LostChanges { db, acknowledged, found, mark });
    }
    refuse_format(&view, data_dir, db)
}

/// The tables that a database of ours may have, and RocksDB's own, which we leave empty.
fn known() -> impl Iterator<Item = &'static str> {
    Family::all().map(Family::name).chain([DEFAULT_COLUMN_FAMILY_NAME])
}

fn refuse_format(view: &DB, data_dir: &Path, db: &Path) -> Result<(), OpenError> {
    let stored = match view.cf_handle(META.name()) {
        Some(meta) => view.get_cf(meta, format::KEY).map_err(sort)?,
        None => None,
    };
    match stored {
        Some(stored) => format::parse(&stored).map(|_| ()).map_err(|found| format::newer(data_dir, found)),
        // Creation ends with the format: before it there are no rows.
        None if has_rows(view)? => Err(foreign(db, "rows without a format".into())),
        None => Ok(()),
    }
}

fn has_rows(view: &DB) -> Result<bool, StoreError> {
    for family in known().filter_map(|name| view.cf_handle(name)) {
        if view.iterator_cf(family, IteratorMode::Start).next().transpose().map_err(sort)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn foreign(db: &Path, found: String) -> OpenError {
    OpenError::Foreign { db: db.to_path_buf(), found }
}
