//! Child processes that are killed, or whose disk fails.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::time::Duration;

use lambd_store::{CLAIMS_MAX, record};

use super::*;

const KIND: record::RecordKind = record::RecordKind::new(&[]);
const Q: &str = "q";
const LEASE_MS: u64 = 1000;

fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").unwrap();
}

/// Commits until it is killed, and prints each commit after its answer. The tests below run it.
#[tokio::test]
#[ignore = "the child of other tests"]
async fn child() {
    let store = Arc::new(open_for_child().unwrap());
    let writers = (0..4).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for i in 0_u32.. {
                let key = format!("{writer}/{i}");
                let record = KIND.encode(&vec![i; 100]).unwrap();
                match store.commit(put(key.clone(), record), Durability::Synced).await {
                    Ok(_) => say(&format!("acknowledged {key}")),
                    Err(error) => return say(&format!("refused {error}")),
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    say(&format!("again {:?}", store.commit(put("again", "x"), Durability::Synced).await));
}

/// Returns the output of a child that is killed when `enough` of its lines begin with `word`.
fn lines_until_killed(mut child: Child, word: &str, enough: usize) -> Vec<String> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut said, mut count) = (Vec::new(), 0);
    for line in lines.map_while(Result::ok) {
        count += usize::from(line.starts_with(word));
        said.push(line);
        if count == enough {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(count >= enough, "{said:?}");
    said
}

/// The rest of the lines that begin with `word`.
fn about<'a>(lines: &'a [String], word: &str) -> BTreeSet<&'a str> {
    lines.iter().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' ')).collect()
}

#[tokio::test]
async fn after_a_kill_every_acknowledged_commit_is_there() {
    for kill_after in [1, 17, 150] {
        let dir = tempfile::tempdir().unwrap();
        let child = spawn_child("crash::child", dir.path(), "");
        let lines = lines_until_killed(child, "acknowledged", kill_after);
        let acknowledged = about(&lines, "acknowledged");
        let store = open_store(dir.path()).unwrap();
        let keys = all_keys(&store).await;
        for key in &acknowledged {
            assert!(keys.contains(*key), "{key} is lost");
            let row = store.get(F, key.as_bytes()).await.unwrap().unwrap();
            assert_eq!(KIND.decode::<Vec<u32>>(F, &row.key, &row.value).unwrap().len(), 100);
        }
        assert!(keys.len() <= acknowledged.len() + 4, "at most one unacknowledged commit per writer");
    }
}

/// The log may grow to 64 KiB; then every write to it fails, as on a broken disk.
#[tokio::test]
async fn after_a_failed_write_no_commit_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let child = spawn_child("crash::child", dir.path(), "trap '' XFSZ; ulimit -f 128;");
    let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert!(output.contains("refused database takes no more changes since a write failed"), "{output}");
    assert!(output.contains("again Err(Store(ReadOnly"), "{output}");
    let lines: Vec<String> = output.lines().map(str::to_owned).collect();
    let acknowledged = about(&lines, "acknowledged");
    assert!(acknowledged.len() > 10, "{output}");
    let keys = all_keys(&open_store(dir.path()).unwrap()).await;
    assert!(acknowledged.iter().all(|key| keys.contains(*key)));
}

/// Enqueues, claims and acknowledges until it is killed, and prints what was done. It acknowledges two of
/// three entries, every second one without waiting for the disk.
#[tokio::test]
#[ignore = "the child of other tests"]
async fn queue_child() {
    let store = Arc::new(open_for_child().unwrap());
    let writers = (0..3).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for i in 0_u64.. {
                let id = format!("{writer}/{i}");
                let batch = Batch::new().enqueue(Q, &*id, i, "entry", vec![7; 300]);
                store.commit(batch, Durability::Synced).await.unwrap();
                say(&format!("enqueued {id}"));
            }
        })
    });
    let _writers: Vec<_> = writers.collect();
    for turn in 0_u64.. {
        for claim in store.claim(Q, u64::MAX - LEASE_MS - 1, 3, LEASE_MS).await.unwrap() {
            let durability = if turn.is_multiple_of(2) { Durability::Synced } else { Durability::Buffered };
            if claim.due_ms % 3 != 0 {
                store.commit(Batch::new().ack(&claim), durability).await.unwrap();
                say(&format!("acked {}", claim.id));
            }
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn after_a_kill_the_queue_has_every_entry_that_was_not_acknowledged() {
    for kill_after in [1, 20, 120] {
        let dir = tempfile::tempdir().unwrap();
        let lines =
            lines_until_killed(spawn_child("crash::queue_child", dir.path(), ""), "acked", kill_after);
        let (enqueued, acked) = (about(&lines, "enqueued"), about(&lines, "acked"));
        let store = open_store(dir.path()).unwrap();
        let mut found = BTreeSet::new();
        loop {
            // At this time all leases of the child have ended.
            let claims = store.claim(Q, u64::MAX - 1, CLAIMS_MAX, 1).await.unwrap();
            if claims.is_empty() {
                break;
            }
            for claim in claims {
                assert_eq!(claim.entry, b"entry");
                assert_eq!(store.payload(Q, &claim.id).await.unwrap().unwrap(), [7; 300]);
                assert!(found.insert(claim.id));
            }
        }
        assert!(acked.iter().all(|id| !found.contains(*id)), "an acknowledged entry has come back");
        let lost = enqueued.iter().filter(|id| !acked.contains(*id) && !found.contains(**id));
        assert!(lost.count() <= 1, "only one acknowledgement may be unreported: the last");
        assert!(
            found.len() + acked.len() <= enqueued.len() + 3 + 1,
            "there are entries that were never enqueued"
        );
    }
}

/// Bytes that compression does not shorten.
fn incompressible(length: usize) -> Vec<u8> {
    let step = |state: &mut u64| {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        Some(*state)
    };
    let numbers = std::iter::repeat_n((), length / 8).scan(1_u64, |state, ()| step(state));
    numbers.flat_map(u64::to_le_bytes).collect()
}

/// Fills its disk, frees space, and continues. The test below runs it.
#[tokio::test]
#[ignore = "the child of other tests"]
async fn full_child() {
    let ballast = Path::new(&env::var(DIR).unwrap()).join("ballast");
    fs::write(&ballast, vec![1; 96 << 20]).unwrap();
    let store = open_for_child().unwrap();
    let value = incompressible(1 << 20);
    for key in (0_u64..).map(|key| key.to_string()) {
        match store.commit(put(&*key, &*value), Durability::Synced).await {
            Ok(_) => say(&format!("acknowledged {key}")),
            // Flushes that fail delay writes before a write fails itself.
            Err(CommitError::Store(StoreError::Stalled)) => {}
            Err(refusal) => {
                say(&format!("refused {refusal:?}"));
                break;
            }
        }
    }
    fs::remove_file(ballast).unwrap();
    while let Err(refusal) = store.commit(put("again", "x"), Durability::Synced).await {
        assert!(
            matches!(refusal, CommitError::Store(StoreError::Full { .. } | StoreError::Stalled)),
            "{refusal}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for key in all_keys(&store).await {
        say(&format!("found {key}"));
    }
}

/// Needs a user namespace, to mount a small file system.
#[tokio::test]
async fn commits_work_again_when_a_full_disk_has_space() {
    let dir = tempfile::tempdir().unwrap();
    let setup = format!("mount -t tmpfs -o size=128m tmpfs ${DIR};");
    let mut child = spawn_child_in("unshare -rm", "crash::full_child", dir.path(), &setup);
    let mut output = String::new();
    child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    assert!(child.wait().unwrap().success(), "{output}");
    let lines: Vec<String> = output.lines().map(str::to_owned).collect();
    assert!(output.contains("refused Store(Full"), "{output}");
    let (acknowledged, found) = (about(&lines, "acknowledged"), about(&lines, "found"));
    assert!(acknowledged.len() > 5 && acknowledged.is_subset(&found), "{output}");
    assert!(found.contains("again"), "{output}");
}
