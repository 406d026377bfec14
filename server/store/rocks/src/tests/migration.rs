//! Data directories of older formats.

use super::*;
use crate::family::META;
use rocksdb::DB;

const ROWS: usize = 300;

/// Makes a data directory of format 1: values without versions.
fn format_1(dir: &Path, value: &[u8]) {
    let path = dir.join("db");
    fs::create_dir_all(&path).unwrap();
    let tables = ["default", "meta", "functions", "account", "events", "logs"];
    let db = DB::open_cf(&options::database(), &path, tables).unwrap();
    fs::write(path.join("lambd.lock"), "").unwrap();
    let family = |name| db.cf_handle(name).unwrap();
    db.put_cf(family("meta"), "format", "1").unwrap();
    db.put_cf(family("account"), "settings", "").unwrap();
    db.put_cf(family("logs"), "event", "message").unwrap();
    for i in 0..ROWS {
        db.put_cf(family("functions"), format!("{i:03}"), value).unwrap();
    }
    for table in tables {
        db.flush_cf(family(table)).unwrap();
    }
}

async fn is_whole(dir: &Path, value: &[u8]) {
    for _ in 0..2 {
        let store = open_store(dir).unwrap();
        assert_eq!(store.database.read(META, b"format").unwrap().unwrap(), b"2");
        let rows = store.range(F, &Range::all()).await.unwrap();
        assert_eq!(rows.len(), ROWS);
        assert!(rows.iter().all(|row| row.value == value && row.version > RowVersion::NONE));
        let settings = store.get(Table::Account, b"settings").await.unwrap().unwrap();
        assert!(settings.value.is_empty() && settings.version > RowVersion::NONE);
        assert_eq!(store.get(Table::Logs, b"event").await.unwrap().unwrap().value, b"message");
    }
}

#[tokio::test]
async fn format_1_is_converted() {
    for value in [&b""[..], b"short", &[7; 1000]] {
        let dir = tempfile::tempdir().unwrap();
        format_1(dir.path(), value);
        is_whole(dir.path(), value).await;
        let store = open_store(dir.path()).unwrap();
        let row = store.get(F, b"000").await.unwrap().unwrap();
        let change = || put("000", "new").expect_version(F, "000", row.version);
        let version = store.commit(change(), Durability::Synced).await.unwrap();
        assert!(version > row.version);
        assert!(matches!(
            store.commit(change(), Durability::Synced).await,
            Err(CommitError::Conflict { .. })
        ));
    }
}

/// The state after a kill or a power loss during the migration: its record in the log is cut, and the mark,
/// which is written after it, does not include it.
#[tokio::test]
async fn an_interrupted_migration_leaves_the_old_format() {
    for (percent, format) in [(0, "1"), (1, "1"), (50, "1"), (99, "1"), (100, "2")] {
        let dir = tempfile::tempdir().unwrap();
        format_1(dir.path(), b"value");
        drop(open_store(dir.path()).unwrap());
        fs::remove_file(dir.path().join("db/acknowledged")).unwrap();
        let log = fs::File::options().write(true).open(newest_log(dir.path())).unwrap();
        let bytes = log.metadata().unwrap().len();
        assert!(bytes > 5000, "the log has the migration");
        log.set_len(bytes * percent / 100).unwrap();
        let path = dir.path().join("db");
        let view = DB::open_cf_for_read_only(&options::inspection(), path, ["meta"], false).unwrap();
        let found = view.get_cf(view.cf_handle("meta").unwrap(), "format").unwrap().unwrap();
        assert_eq!(String::from_utf8_lossy(&found), format, "{percent}");
        drop(view);
        is_whole(dir.path(), b"value").await;
    }
}
