//! Inspects the folder of the database before anything in it is changed.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use lambd_store::StoreError;
use rocksdb::{DB, DEFAULT_COLUMN_FAMILY_NAME, IteratorMode};

use crate::error::{OpenError, sort};
use crate::family::{Family, META};
use crate::folder::Folder;
use crate::{acknowledged, format, options};

/// The file that names the newest parts of a database. It is created last and replaced as a whole.
const CURRENT: &str = "CURRENT";

/// The lock of the process that has the database open. Every folder that lambd has opened has this file.
pub(crate) const LOCK: &str = "lambd.lock";

/// Refuses a folder whose file names, or the number in a file of its own, show that it is not a database of
/// this lambd. It reads nothing else and changes nothing, so root can call it before it gives the folder to
/// another user: content of the files cannot harm it. An absent folder is accepted.
pub(crate) fn refuse_at_first_sight(folder: &Folder) -> Result<(), OpenError> {
    let io = |source| OpenError::Io { action: "list", path: folder.name.clone(), source };
    let names = match fs::read_dir(&folder.path) {
        Ok(entries) => entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io(error)),
    };
    let names = names.collect::<Result<Vec<_>, _>>().map_err(io)?;
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    format::check_note(folder)?;
    if has(CURRENT) {
        return if has(LOCK) { Ok(()) } else { Err(folder.foreign(format!("{CURRENT} without {LOCK}"))) };
    }
    // RocksDB would remove these as obsolete files of its own.
    if let Some(name) = names.iter().find(|name| !is_left_by_creation(name)) {
        return Err(folder.foreign(format!("{name} without {CURRENT}")));
    }
    match acknowledged::read(&folder.path) {
        0 => Ok(()),
        _ => Err(folder.foreign(format!("{} without {CURRENT}", acknowledged::NAME))),
    }
}

/// Whether an interrupted creation of a database leaves this file.
fn is_left_by_creation(name: &str) -> bool {
    // `lost+found` exists if the folder is a file system of its own.
    const NAMES: [&str; 8] =
        [LOCK, acknowledged::NAME, format::NOTE, "LOCK", "LOG", "IDENTITY", "MANIFEST-000001", "lost+found"];
    let is_temporary = || Path::new(name).extension().is_some_and(|extension| extension == "dbtmp");
    NAMES.contains(&name) || name.starts_with("LOG.old.") || is_temporary()
}

/// Refuses data of a newer lambd or another program, and a database that has lost acknowledged changes. Opens
/// the database read-only.
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
    // All tables are made before the first change. If one is missing, replay would skip its rows as those of
    // a removed table.
    if let Some(missing) = known().find(|name| acknowledged > 0 && !has(name)) {
        return Err(folder.foreign(format!("without the table {missing:?}")));
    }
    if found < acknowledged {
        let (db, mark) = (folder.name.clone(), folder.name.join(acknowledged::NAME));
        return Err(OpenError::LostChanges { db, acknowledged, found, mark });
    }
    refuse_format(&view, folder)
}

/// The tables of our database, and RocksDB's default one, which stays empty.
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
        // The format is written at the end of the creation: before that there are no rows.
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
