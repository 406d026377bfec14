//! What only the store on disk can do: come back.

use super::*;
use crate::store::record;
use std::{
    collections::BTreeSet,
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::FileExt as _,
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
};

const F: Table = Table::Functions;
const DIR: &str = "LAMBD_STORE_TEST_DIR";

fn put(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Batch {
    Batch::new().put(F, key, value)
}

fn all_keys(store: &RocksStore) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    super::super::for_each::<StoreError>(store, F, Range::all(), |key, _| {
        keys.insert(String::from_utf8_lossy(key).into_owned());
        Ok(())
    })
    .unwrap();
    keys
}

#[test]
fn reopened_it_is_as_before() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let store = RocksStore::open(dir.path()).unwrap();
        assert_eq!(all_keys(&store).len(), round * 2);
        store.commit(put(format!("synced {round}"), "x"), Durability::Synced).unwrap();
        store.commit(put(format!("buffered {round}"), "x"), Durability::Buffered).unwrap();
    }
}

#[test]
fn the_second_opener_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let first = RocksStore::open(dir.path()).unwrap();
    let text = RocksStore::open(dir.path()).unwrap_err().to_string();
    let path = dir.path().display();
    assert_eq!(
        text,
        format!("data directory {path} is in use by another lambd (lock held on {path}/db/lambd.lock)")
    );
    drop(first);
    RocksStore::open(dir.path()).unwrap();
}

#[test]
fn a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = RocksStore::open(dir.path()).unwrap();
    store.commit(Batch::new().put(Table::Meta, "format", "2"), Durability::Synced).unwrap();
    drop(store);
    let error = RocksStore::open(dir.path()).unwrap_err();
    assert!(matches!(&error, StoreError::Newer { found, known: 1, .. } if found == "2"), "{error}");
}

#[test]
fn a_newer_table_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(RocksStore::open(dir.path()).unwrap());
    let mut families = options::families();
    families.push(rocksdb::ColumnFamilyDescriptor::new("hologram", rocksdb::Options::default()));
    drop(DB::open_cf_descriptors(&options::database(), dir.path().join("db"), families).unwrap());
    let error = RocksStore::open(dir.path()).unwrap_err();
    assert!(matches!(&error, StoreError::Newer { found, .. } if found.contains("hologram")), "{error}");
}

/// Commits until it is killed, and says after each commit which one it was. Run by the tests below.
#[test]
#[ignore = "the child of other tests"]
fn child() {
    let store = Arc::new(RocksStore::open(Path::new(&env::var(DIR).unwrap())).unwrap());
    let writers = (0..4).map(|writer| {
        let store = Arc::clone(&store);
        thread::spawn(move || {
            for i in 0.. {
                let key = format!("{writer}/{i}");
                let record = record::encode(1, &vec![i; 100]).unwrap();
                match store.commit(put(key.clone(), record), Durability::Synced) {
                    Ok(()) => writeln!(std::io::stdout(), "acknowledged {key}").unwrap(),
                    Err(error) => return writeln!(std::io::stdout(), "refused {error}").unwrap(),
                }
            }
        })
    });
    writers.collect::<Vec<_>>().into_iter().for_each(|writer| writer.join().unwrap());
    let again = store.commit(put("again", "x"), Durability::Synced);
    writeln!(std::io::stdout(), "again {again:?}").unwrap();
}

/// The child under a shell that first runs `setup`.
#[expect(clippy::disallowed_methods, reason = "a test that kills its own child")]
fn spawn_child(dir: &Path, setup: &str) -> Child {
    let exe = env::current_exe().unwrap();
    let script = format!(
        r#"{setup} exec "{}" --exact --ignored --nocapture store::rocks::tests::child"#,
        exe.display()
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).env(DIR, dir).stdout(Stdio::piped()).spawn().unwrap()
}

#[test]
fn killed_in_the_middle_it_has_what_it_acknowledged() {
    for kill_after in [1, 17, 150] {
        let dir = tempfile::tempdir().unwrap();
        let mut child = spawn_child(dir.path(), "");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acknowledged = Vec::new();
        for line in lines.map_while(Result::ok) {
            let Some(key) = line.strip_prefix("acknowledged ") else { continue };
            acknowledged.push(key.to_owned());
            if acknowledged.len() == kill_after {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(acknowledged.len() >= kill_after);
        let store = RocksStore::open(dir.path()).unwrap();
        let keys = all_keys(&store);
        for key in &acknowledged {
            assert!(keys.contains(key), "{key} is lost");
            let bytes = store.get(F, key.as_bytes()).unwrap().unwrap();
            assert_eq!(record::decode::<Vec<u32>>(1, F, key.as_bytes(), &bytes).unwrap().len(), 100);
        }
        assert!(keys.len() <= acknowledged.len() + 4, "at most one unacknowledged commit per writer");
    }
}

/// The log may grow to 64 KiB, then every write to it fails as on a broken disk.
#[test]
fn after_a_failed_write_nothing_more_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let child = spawn_child(dir.path(), "trap '' XFSZ; ulimit -f 128;");
    let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert!(output.contains("refused database takes no more changes since a write failed"), "{output}");
    assert!(output.contains("again Err(Store(ReadOnly"), "{output}");
    let store = RocksStore::open(dir.path()).unwrap();
    let keys = all_keys(&store);
    let acknowledged: Vec<&str> = output.lines().filter_map(|l| l.strip_prefix("acknowledged ")).collect();
    assert!(acknowledged.len() > 10, "{output}");
    assert!(acknowledged.iter().all(|key| keys.contains(*key)));
}

/// The newest write-ahead log.
fn log_file(dir: &Path) -> PathBuf {
    let files = fs::read_dir(dir.join("db")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|e| e == "log")).max().unwrap()
}

#[test]
fn a_damaged_log_is_not_taken_for_a_short_one() {
    // Where the log is damaged, in percent of its length, and whether acknowledged changes are lost.
    for (percent, lost) in [(10, true), (50, true), (80, true), (100, false)] {
        let dir = tempfile::tempdir().unwrap();
        let store = RocksStore::open(dir.path()).unwrap();
        for i in 0..100 {
            store.commit(put(format!("{i:02}"), vec![7; 500]), Durability::Synced).unwrap();
        }
        drop(store);
        let path = log_file(dir.path());
        let length = fs::metadata(&path).unwrap().len();
        let log = File::options().write(true).open(&path).unwrap();
        log.write_all_at(b"damage", length * percent / 100).unwrap();
        for attempt in 0..2 {
            match RocksStore::open(dir.path()) {
                Ok(store) => assert!(!lost && all_keys(&store).len() == 100, "{percent} {attempt}"),
                Err(StoreError::LostChanges { .. }) => assert!(lost, "{percent} {attempt}"),
                Err(other) => panic!("{percent}: {other}"),
            }
        }
    }
}

#[test]
fn a_damaged_table_file_is_detected() {
    let dir = tempfile::tempdir().unwrap();
    let store = RocksStore::open(dir.path()).unwrap();
    for i in 0..200 {
        store.commit(put(format!("{i:03}"), vec![7; 500]), Durability::Buffered).unwrap();
    }
    store.db.flush_cf(store.family(F).unwrap()).unwrap();
    drop(store);
    let files = fs::read_dir(dir.path().join("db")).unwrap().map(|entry| entry.unwrap().path());
    let path = files
        .filter(|path| path.extension().is_some_and(|e| e == "sst"))
        .max_by_key(|p| fs::metadata(p).unwrap().len());
    File::options().write(true).open(path.unwrap()).unwrap().write_all_at(b"damage", 100).unwrap();
    let read =
        RocksStore::open(dir.path()).and_then(|store| store.range(F, &Range::all()).map(|rows| rows.len()));
    assert!(matches!(read, Err(StoreError::Damaged { .. })), "{read:?}");
}
