//! Damaged files are detected.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use super::*;
use crate::family::{EVENTS, Family};

#[tokio::test]
async fn a_damaged_log_is_distinguished_from_a_cut_one() {
    // Position of the damage in percent of the log's length, and whether acknowledged changes are lost.
    for (percent, lost) in [(10, true), (50, true), (80, true), (100, false)] {
        let dir = tempfile::tempdir().unwrap();
        let store = open_store(dir.path()).unwrap();
        for i in 0..100 {
            store.commit(put(format!("{i:02}"), vec![7; 500]), Durability::Synced).await.unwrap();
        }
        drop(store);
        let path = newest_log(dir.path());
        let length = fs::metadata(&path).unwrap().len();
        let log = File::options().write(true).open(&path).unwrap();
        log.write_all_at(b"damage", length * percent / 100).unwrap();
        for attempt in 0..2 {
            match open_store(dir.path()) {
                Ok(store) => assert!(!lost && all_keys(&store).await.len() == 100, "{percent} {attempt}"),
                Err(OpenError::LostChanges { .. }) => assert!(lost, "{percent} {attempt}"),
                Err(other) => panic!("{percent}: {other}"),
            }
        }
    }
}

/// The manifest names the table files. If it is cut, it is refused or everything is still there.
#[tokio::test]
async fn a_cut_manifest_never_loses_rows_silently() {
    let whole = tempfile::tempdir().unwrap();
    let store = open_store(whole.path()).unwrap();
    store.commit(put("a", "b"), Durability::Synced).await.unwrap();
    drop(store);
    let is_manifest = |path: &PathBuf| path.to_string_lossy().contains("MANIFEST-");
    let manifest = files(whole.path()).into_iter().find(is_manifest).unwrap();
    let (name, length) = (manifest.file_name().unwrap(), fs::metadata(&manifest).unwrap().len());
    let mut refused = 0;
    for cut in (0..length).step_by(5) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("db")).unwrap();
        for file in files(whole.path()) {
            fs::copy(&file, dir.path().join("db").join(file.file_name().unwrap())).unwrap();
        }
        File::options().write(true).open(dir.path().join("db").join(name)).unwrap().set_len(cut).unwrap();
        match open_store(dir.path()) {
            Ok(store) => assert_eq!(all_keys(&store).await.len(), 1, "cut at {cut} of {length}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 10, "{refused}");
}

#[tokio::test]
async fn a_damaged_table_file_is_detected() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_store(dir.path()).unwrap();
    for i in 0..200 {
        store.commit(put(format!("{i:03}"), vec![7; 500]), Durability::Buffered).await.unwrap();
    }
    let db = &store.database.db;
    db.flush_cf(db.cf_handle(F.name()).unwrap()).unwrap();
    drop(store);
    let tables = files(dir.path()).into_iter().filter(|path| path.extension().is_some_and(|e| e == "sst"));
    let path = tables.max_by_key(|path| fs::metadata(path).unwrap().len());
    File::options().write(true).open(path.unwrap()).unwrap().write_all_at(b"damage", 100).unwrap();
    // Detected when the database is opened, or when the row is read.
    let damage = match open_store(dir.path()) {
        Err(OpenError::Damaged { .. }) => return,
        Err(other) => panic!("{other}"),
        Ok(store) => store.range(F, &Range::all()).await.unwrap_err(),
    };
    assert!(matches!(damage, StoreError::Damaged { .. }), "{damage:?}");
}

#[tokio::test]
async fn damaged_rows_are_named_in_the_error() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_store(dir.path()).unwrap();
    store.commit(Batch::new().enqueue("q", "id", 1, "", ""), Durability::Synced).await.unwrap();
    let db = &store.database.db;
    db.put_cf(db.cf_handle(Family::of(F).name()).unwrap(), "a/b", "short").unwrap();
    let events = db.cf_handle(EVENTS.name()).unwrap();
    db.put_cf(events, due::entry_key("q", "id"), "short").unwrap();
    let row = store.get(F, b"a/b").await.unwrap_err();
    let update = store.commit(put("a/b", "").expect_absent(F, "a/b"), Durability::Synced).await.unwrap_err();
    for text in [row.to_string(), update.to_string()] {
        assert_eq!(
            text,
            r#"database is damaged (row functions "a/b" has no version): restore a backup of the data directory"#
        );
    }
    let claim = store.claim("q", 1, 1, 1).await.unwrap_err().to_string();
    assert_eq!(
        claim,
        r#"database is damaged (queued entry "eq\0id" cannot be read): restore a backup of the data directory"#
    );
    db.delete_cf(events, due::entry_key("q", "id")).unwrap();
    let claim = store.claim("q", 1, 1, 1).await.unwrap_err().to_string();
    assert_eq!(
        claim,
        r#"database is damaged (entry "id" of queue "q" is missing): restore a backup of the data directory"#
    );
    store.commit(put("c", ""), Durability::Synced).await.unwrap(); // other rows still work
}
