//! A directory that cannot be opened is not changed.

use std::os::unix::fs::symlink;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use rocksdb::{ColumnFamilyDescriptor, DB, Options};

use super::*;
use crate::database::Write;
use crate::family::META;

#[test]
fn the_second_opener_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let first = open_store(dir.path()).unwrap();
    let text = open_store(dir.path()).unwrap_err().to_string();
    let path = dir.path().display();
    assert_eq!(
        text,
        format!("data directory {path} is in use by another lambd (lock held on {path}/db/lambd.lock)")
    );
    drop(first);
    open_store(dir.path()).unwrap();
}

#[test]
fn a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_store(dir.path()).unwrap();
    let newer = Write::Put(META, b"format".to_vec(), b"3".to_vec());
    store.database.write(&[newer], Durability::Synced).unwrap();
    drop(store);
    let before = files(dir.path());
    let error = open_store(dir.path()).unwrap_err();
    assert!(matches!(&error, OpenError::Newer { found, known: 2, .. } if found == "3"), "{error}");
    let path = dir.path().display();
    let text = format!(
        "data directory {path} has format 3, but this lambd knows formats up to 2: use the newer lambd again"
    );
    assert_eq!(error.to_string(), text);
    let is_of_the_database = |path: &&PathBuf| !path.to_string_lossy().contains("/LOG");
    let after = files(dir.path());
    assert!(before.iter().filter(is_of_the_database).eq(after.iter().filter(is_of_the_database)));
}

/// Root does not read the database, so the file beside it must suffice.
#[test]
fn a_newer_format_is_refused_at_first_sight() {
    let dir = tempfile::tempdir().unwrap();
    refuse_at_first_sight(dir.path()).unwrap();
    drop(open_store(dir.path()).unwrap());
    let note = dir.path().join("db/format");
    assert_eq!(fs::read_to_string(&note).unwrap(), "2\n");
    for (text, what) in [
        ("3\n", "newer"),
        ("4000000000", "newer"),
        ("x", "foreign"),
        ("99.0", "foreign"),
        ("99\n99", "foreign"),
        (" 2", "foreign"),
        ("\u{fffd}", "foreign"),
        ("1\n", ""),
        ("", ""),
    ] {
        fs::write(&note, text).unwrap();
        for refused in [refuse_at_first_sight(dir.path()), open_store(dir.path()).map(drop)] {
            let found = match &refused {
                Ok(()) => "",
                Err(OpenError::Newer { .. }) => "newer",
                Err(OpenError::Foreign { .. }) => "foreign",
                Err(_) => "other",
            };
            assert_eq!(found, what, "{text:?} {refused:?}");
        }
    }
    assert_eq!(fs::read_to_string(&note).unwrap(), "2\n", "repaired by the last opening");
}

/// The files belong to a process that root does not trust.
#[test]
fn no_pipe_or_link_can_delay_or_redirect_the_first_check() {
    let dir = tempfile::tempdir().unwrap();
    drop(open_store(dir.path()).unwrap());
    let (note, elsewhere) = (dir.path().join("db/format"), dir.path().join("elsewhere"));
    fs::write(&elsewhere, "3\n").unwrap();
    fs::remove_file(&note).unwrap();
    symlink(&elsewhere, &note).unwrap();
    let refused = |what: &str| {
        let error = refuse_at_first_sight(dir.path()).unwrap_err();
        assert!(matches!(error, OpenError::Foreign { .. }), "{what}: {error}");
    };
    refused("a link");
    fs::remove_file(&note).unwrap();
    mkfifo(&note, Mode::S_IRWXU).unwrap();
    refused("a pipe");
}

/// A server uses `.` as the path of its data directory; its operator knows another name.
#[test]
fn messages_show_the_operators_name_of_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("db")).unwrap();
    fs::write(dir.path().join("db/000004.log"), "").unwrap();
    let error = RocksStore::open(dir.path(), Path::new("/var/lib/lambd")).unwrap_err();
    assert!(error.to_string().starts_with("/var/lib/lambd/db is not a whole database of lambd"), "{error}");
}

#[test]
fn a_newer_table_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open_store(dir.path()).unwrap());
    let mut families = options::families();
    families.push(ColumnFamilyDescriptor::new("hologram", Options::default()));
    drop(DB::open_cf_descriptors(&options::database(), dir.path().join("db"), families).unwrap());
    let error = open_store(dir.path()).unwrap_err();
    assert!(matches!(&error, OpenError::Newer { found, .. } if found.contains("hologram")), "{error}");
}

/// RocksDB would make a new database in this folder and remove the files as its own.
#[test]
fn an_incomplete_database_is_refused_and_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_store(dir.path()).unwrap();
    store.database.db.flush_cf(store.database.db.cf_handle("meta").unwrap()).unwrap();
    drop(store);
    fs::remove_file(dir.path().join("db/CURRENT")).unwrap();
    let before = files(dir.path());
    for _ in 0..2 {
        let error = open_store(dir.path()).unwrap_err();
        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
        assert!(!error.to_string().contains('\n'));
        assert_eq!(files(dir.path()), before);
    }
}

#[test]
fn a_mark_without_its_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open_store(dir.path()).unwrap());
    for path in files(dir.path()).iter().filter(|path| !path.ends_with("acknowledged")) {
        fs::remove_file(path).unwrap();
    }
    let error = open_store(dir.path()).unwrap_err();
    assert!(error.to_string().contains("(acknowledged without CURRENT)"), "{error}");
}

#[test]
fn a_database_of_another_program_is_refused_and_unchanged() {
    for family in ["default", "functions", "theirs"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        fs::create_dir(&path).unwrap();
        let open = || {
            let families = BTreeSet::from(["default", family]);
            DB::open_cf(&options::database(), &path, families).unwrap()
        };
        let theirs = open();
        theirs.put_cf(theirs.cf_handle(family).unwrap(), "key", "value").unwrap();
        drop(theirs);
        // Detected first by its file names, then by its content.
        let before = files(dir.path());
        let error = refuse_at_first_sight(dir.path()).unwrap_err();
        assert!(error.to_string().contains("(CURRENT without lambd.lock)"), "{family}: {error}");
        assert_eq!(files(dir.path()), before, "{family}");
        fs::write(path.join("lambd.lock"), "").unwrap();
        let error = open_store(dir.path()).unwrap_err();
        assert!(matches!(error, OpenError::Foreign { .. }), "{family}: {error}");
        let theirs = open(); // fails if the database has more families now
        assert_eq!(theirs.get_cf(theirs.cf_handle(family).unwrap(), "key").unwrap().unwrap(), b"value");
    }
}

#[tokio::test]
async fn an_interrupted_creation_is_continued() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    fs::create_dir(&path).unwrap();
    for name in ["lambd.lock", "LOCK", "LOG", "LOG.old.1", "IDENTITY", "MANIFEST-000001", "000001.dbtmp"] {
        fs::write(path.join(name), "").unwrap();
    }
    fs::create_dir(path.join("lost+found")).unwrap();
    let store = open_store(dir.path()).unwrap();
    store.commit(put("a", "x"), Durability::Synced).await.unwrap();
    drop(store);
    assert_eq!(all_keys(&open_store(dir.path()).unwrap()).await.len(), 1);

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    fs::create_dir(&path).unwrap();
    drop(DB::open_cf(&options::database(), &path, ["default", "functions"]).unwrap());
    fs::write(path.join("lambd.lock"), "").unwrap();
    let store = open_store(dir.path()).unwrap();
    assert_eq!(store.database.read(META, b"format").unwrap().unwrap(), b"2");
}
