//! A look at the folder of the database before anything in it is altered.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use lambd_store::StoreError;
use rocksdb::{DB, DEFAULT_COLUMN_FAMILY_NAME, IteratorMode};

use crate::error::{OpenError, sort};
use crate::family::{Family, META};
use crate::folder::Folder;
use crate::{acknowledged, format, options};

/// What names the newest parts of a database; created last, replaced whole.
const CURRENT: &str = "CURRENT";

/// The lock of whoever has the database open; in every folder that lambd has opened.
pub(crate) const LOCK: &str = "lambd.lock";

/// Refuses what can be seen to be no database of this lambd without reading any of it: the folder's names, and a
/// number that stands in a file of its own. Alters nothing at all, and what the files hold cannot harm it, so that
/// root may look before it makes the folder another user's. A folder that is absent is fine.
pub(crate) fn refuse_at_first_sight(folder: &Folder) -> Result<(), OpenError> {
    let io = |source| OpenError::Io { action: "list", path: folder.name.clone(), source };
    let names = match fs::read_dir(&folder.path) {
        Ok(entries) => entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io(error)),
    };
    let names = names.collect::<Result<Vec<_>, _>>().map_err(io)?;
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if let Some(newer) = format::noted_newer(folder) {
        return Err(format::newer(folder, newer));
    }
    if has(CURRENT) {
        return if has(LOCK) { Ok(()) } else { Err(folder.foreign(format!("{CURRENT} without {LOCK}"))) };
    }
    // RocksDB would take these for rubbish of its own and remove them.
    if let Some(name) = names.iter().find(|name| !is_left_by_creation(name)) {
        return Err(folder.foreign(format!("{name} without {CURRENT}")));
    }
    match acknowledged::read(&folder.path) {
        0 => Ok(()),
        _ => Err(folder.foreign(format!("{} without {CURRENT}", acknowledged::NAME))),
    }
}

/// What an interrupted creation of a database leaves behind.
fn is_left_by_creation(name: &str) -> bool {
    // The last one is there where the folder is a file system of its own.
    const NAMES: [&str; 8] =
        [LOCK, acknowledged::NAME, format::NOTE, "LOCK", "LOG", "IDENTITY", "MANIFEST-000001", "lost+found"];
    let is_temporary = || Path::new(name).extension().is_some_and(|extension| extension == "dbtmp");
    NAMES.contains(&name) || name.starts_with("LOG.old.") || is_temporary()
}

/// Refuses what a newer lambd or another program wrote, and a database that has lost acknowledged changes.
/// Opens the database read-only.
pub(crate) fn refuse_what_is_not_ours(folder: &Folder) -> Result<(), OpenError> {
    let db = &folder.path;
    if !db.join(CURRENT).exists() {
        return Ok(());
    }
    let unusable = |error| folder.unusable(sort(error));
    let names = DB::list_cf(&options::inspection(), db).map_err(unusable)?;
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if let Some(name) = names.iter().find(|name| known().all(|known| known != *name)) {
        return Err(if has(META.name()) {
            format::newer(folder, format!("with a table {name:?}"))
        } else {
            folder.foreign(format!("a table {name:?}"))
        });
    }
    let present = known().filter(|name| has(name));
    let view = DB::open_cf_for_read_only(&options::inspection(), db, present, false).map_err(unusable)?;
    let (acknowledged, found) = (acknowledged::read(db), view.latest_sequence_number());
    // All tables are made before the first change: without one, its rows would be skipped as those of a removed table.
    if let Some(missing) = known().find(|name| acknowledged > 0 && !has(name)) {
        return Err(folder.foreign(format!("without the table {missing:?}")));
    }
    if found < acknowledged {
        let (db, mark) = (folder.name.clone(), folder.name.join(acknowledged::NAME));
        return Err(OpenError::LostChanges { db, acknowledged, found, mark });
    }
    refuse_format(&view, folder)
}

/// The tables that a database of ours may have, and RocksDB's own, which we leave empty.
fn known() -> impl Iterator<Item = &'static str> {
    Family::all().map(Family::name).chain([DEFAULT_COLUMN_FAMILY_NAME])
}

fn refuse_format(view: &DB, folder: &Folder) -> Result<(), OpenError> {
    let stored = match view.cf_handle(META.name()) {
        Some(meta) => view.get_cf(meta, format::KEY).map_err(|error| folder.unusable(sort(error)))?,
        None => None,
    };
    match stored {
        Some(stored) => format::parse(&stored).map(|_| ()).map_err(|found| format::newer(folder, found)),
        // Creation ends with the format: before it there are no rows.
        None if has_rows(view).map_err(|error| folder.unusable(error))? => {
            Err(folder.foreign("rows without a format".into()))
        }
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
