//! Rounds of the committer, run on the test's own thread.

use super::*;
use crate::round::Round;
use rocksdb::perf::{PerfContext, PerfMetric, PerfStatsLevel, set_perf_stats};

const Q: &str = "q";

fn open(dir: &Path) -> Database {
    Database::open(&Folder::of(dir, dir)).unwrap()
}

fn synced(round: &mut Round<'_>, batch: Batch) -> Result<RowVersion, CommitError> {
    round.commit(batch, Durability::Synced)
}

#[test]
fn batches_of_one_round_see_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let database = open(dir.path());
    let hub = Hub::default();
    let mut round = Round::new(&database);
    let first = synced(&mut round, put("a", "1").expect_absent(F, "a")).unwrap();
    let conflict = synced(&mut round, put("a", "2").put(F, "b", "2").expect_absent(F, "a"));
    assert!(matches!(conflict, Err(CommitError::Conflict { .. })));
    let second = synced(&mut round, put("a", "3").expect_version(F, "a", first)).unwrap();
    let third = synced(&mut round, Batch::new().delete_range(F, "a", "b").put(F, "c", "3")).unwrap();
    assert!(first < second && second < third);
    let gone = synced(&mut round, put("d", "4").expect_absent(F, "a").expect_version(F, "c", third));
    gone.unwrap();
    assert_eq!(database.get(F, b"a".to_vec()).unwrap(), None, "nothing is seen before it is written");
    assert_eq!(database.get(F, b"c".to_vec()).unwrap(), None, "nothing is seen before it is written");
    round.write(&hub).unwrap();
    let keys = database.range(F, &Range::all()).unwrap();
    assert_eq!(keys.iter().map(|row| row.key.as_slice()).collect::<Vec<_>>(), [b"c", b"d"]);
    assert!(database.last_number() >= third.0, "a later round would give these numbers again");
}

/// The mark is advanced after each flush of the log, and only then.
#[test]
fn one_synced_batch_makes_the_whole_round_flush() {
    let dir = tempfile::tempdir().unwrap();
    let database = open(dir.path());
    let hub = Hub::default();
    let (yes, no) = (Durability::Synced, Durability::Buffered);
    for (wishes, is_flushed) in [([no, no], false), ([no, yes], true), ([yes, no], true), ([yes, yes], true)]
    {
        let mut round = Round::new(&database);
        for durability in wishes {
            round.commit(put("a", "x"), durability).unwrap();
        }
        round.write(&hub).unwrap();
        let noted = acknowledged::read(&dir.path().join("db"));
        assert_eq!(noted == database.last_number(), is_flushed, "{wishes:?}");
    }
}

#[test]
fn queue_changes_of_one_round_see_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let database = open(dir.path());
    let hub = Hub::default();
    let mut round = Round::new(&database);
    for id in ["a", "b", "c"] {
        synced(&mut round, Batch::new().enqueue(Q, id, 1, "", "")).unwrap();
    }
    let doubled = synced(&mut round, Batch::new().enqueue(Q, "a", 1, "", ""));
    assert!(matches!(doubled, Err(CommitError::Exists { .. })));
    assert_eq!(round.claim(Q, 9, 9, 9).unwrap(), [], "what is not written is not claimed");
    round.write(&hub).unwrap();

    let mut round = Round::new(&database);
    let one = round.claim(Q, 9, 1, 9).unwrap();
    let two = round.claim(Q, 9, 1, 9).unwrap();
    assert_eq!((one[0].id.as_str(), two[0].id.as_str()), ("a", "b"), "one claim each");
    assert_ne!(one[0].token, two[0].token);
    synced(&mut round, Batch::new().ack(&one[0])).unwrap();
    let again = synced(&mut round, Batch::new().ack(&one[0]));
    assert!(matches!(again, Err(CommitError::LeaseLost { .. })));
    round.write(&hub).unwrap();
    assert_eq!(
        due::depth(&database, Q, 9).unwrap(),
        Depth { due: 1, claimed: 1, later: 0, oldest_due_ms: Some(1) }
    );
    assert_eq!(Round::new(&database).next_due(Q).unwrap(), Some(1));
}

/// Runs `read` and returns how many removed keys RocksDB skipped for it.
fn steps(read: impl FnOnce()) -> u64 {
    set_perf_stats(PerfStatsLevel::EnableCount);
    let mut context = PerfContext::default();
    context.reset();
    read();
    context.metric(PerfMetric::InternalDeleteSkippedCount)
}

#[test]
fn acknowledged_entries_are_skipped_only_once() {
    const ENTRIES: u64 = 10_000;
    let dir = tempfile::tempdir().unwrap();
    let database = open(dir.path());
    let hub = Hub::default();
    let write = |batch: Batch| {
        let mut round = Round::new(&database);
        round.commit(batch, Durability::Buffered).unwrap();
        round.write(&hub).unwrap();
    };
    write((0..ENTRIES).fold(Batch::new(), |batch, i| batch.enqueue(Q, i.to_string(), i, "", "")));
    let claim = || {
        let mut round = Round::new(&database);
        let claims = round.claim(Q, ENTRIES, 100, 1).unwrap();
        round.write(&hub).unwrap();
        claims
    };
    let mut acked = 0;
    let mut stepped = 0;
    while acked < ENTRIES {
        let mut claims = Vec::new();
        stepped += steps(|| claims = claim());
        assert!(!claims.is_empty(), "entries are missing");
        acked += claims.len() as u64;
        write(claims.iter().fold(Batch::new(), Batch::ack));
    }
    // A removed key is skipped only by the claim after the one that removed it.
    assert!(stepped <= 2 * ENTRIES, "{stepped}");
    assert_eq!(claim(), []);
    write(Batch::new().enqueue(Q, "last", ENTRIES, "", ""));
    let next = || assert_eq!(Round::new(&database).next_due(Q).unwrap(), Some(ENTRIES));
    assert_eq!(steps(next), 0);
    database.lows.raise(Q, due::due_key(Q, 0, ""));
    let forgotten = steps(next);
    assert!(forgotten >= ENTRIES, "what this test counts is not there: {forgotten}");
}
