//! Properties of the store on disk only: reopening, refusing foreign data, writing many batches at once.

mod contract;
mod crash;
mod damage;
mod migration;
mod refusal;
mod rounds;
mod threads;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use lambd_store::for_each;

use super::*;

const F: Table = Table::Functions;
const DIR: &str = "LAMBD_STORE_TEST_DIR";

fn open_store(dir: &Path) -> Result<RocksStore, OpenError> {
    RocksStore::open(dir, dir)
}

fn put(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Batch {
    Batch::new().put(F, key, value)
}

async fn all_keys(store: &RocksStore) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let visit = |row: Row| {
        keys.insert(String::from_utf8_lossy(&row.key).into_owned());
        Ok::<(), StoreError>(())
    };
    for_each(store, F, Range::all(), visit).await.unwrap();
    keys
}

/// Starts a child that runs the ignored test `tests::{child}`, under a shell that first runs `setup`.
fn spawn_child(child: &str, dir: &Path, setup: &str) -> Child {
    spawn_child_in("exec", child, dir, setup)
}

/// Like [`spawn_child`], with the shell started by `wrapper`.
#[expect(clippy::disallowed_methods, reason = "a test that kills its own child")]
fn spawn_child_in(wrapper: &str, child: &str, dir: &Path, setup: &str) -> Child {
    let exe = env::current_exe().unwrap();
    let script = format!(r#"{setup} exec "{}" --exact --ignored --nocapture tests::{child}"#, exe.display());
    let outer = format!(r#"{wrapper} sh -c "$SCRIPT""#);
    let mut command = Command::new("sh");
    command.args(["-c", &outer]).env("SCRIPT", script).env(DIR, dir).stdout(Stdio::piped()).spawn().unwrap()
}

/// Opens the store of the child's directory.
fn open_for_child() -> Result<RocksStore, OpenError> {
    open_store(Path::new(&env::var(DIR).unwrap()))
}

/// The paths in the folder of the database.
fn files(dir: &Path) -> BTreeSet<PathBuf> {
    fs::read_dir(dir.join("db")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// The newest file of the write-ahead log.
fn newest_log(dir: &Path) -> PathBuf {
    let logs = files(dir).into_iter().filter(|path| path.extension().is_some_and(|e| e == "log"));
    logs.max().unwrap()
}

#[tokio::test]
async fn a_reopened_store_is_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let mut last = RowVersion::NONE;
    for round in 0..3 {
        let store = open_store(dir.path()).unwrap();
        assert_eq!(all_keys(&store).await.len(), round * 2);
        let version = store.commit(put(format!("synced {round}"), "x"), Durability::Synced).await.unwrap();
        assert!(version > last, "versions must grow after a restart");
        last = store.commit(put(format!("buffered {round}"), "x"), Durability::Buffered).await.unwrap();
        assert!(last > version);
        let row = store.get(F, format!("buffered {round}").as_bytes()).await.unwrap().unwrap();
        assert_eq!(row.version, last);
    }
}

#[tokio::test]
async fn waiting_batches_are_written_when_the_store_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_store(dir.path()).unwrap();
    for i in 0..50 {
        let mut commit = store.commit(put(format!("{i}"), "x"), Durability::Buffered);
        // Polled once, which hands the batch over; the answer is not awaited.
        let _ = std::future::poll_fn(|context| std::task::Poll::Ready(commit.as_mut().poll(context))).await;
    }
    drop(store);
    assert_eq!(all_keys(&open_store(dir.path()).unwrap()).await.len(), 50);
}
