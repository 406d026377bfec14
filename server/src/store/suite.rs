//! One suite for every implementation of [`Store`].

use super::*;
use std::{ops::Bound, sync::Arc, thread};

const F: Table = Table::Functions;

fn commit(store: &dyn Store, batch: Batch) -> Result<(), CommitError> {
    store.commit(batch, Durability::Synced)
}

fn filled(store: &dyn Store, keys: &[&str]) {
    let put = |batch: Batch, key: &&str| batch.put(F, *key, format!("<{key}>"));
    commit(store, keys.iter().fold(Batch::new(), put)).unwrap();
}

fn keys(store: &dyn Store, range: &Range) -> Vec<String> {
    let rows = store.range(F, range).unwrap();
    for (key, value) in &rows {
        assert_eq!(value, format!("<{}>", String::from_utf8_lossy(key)).as_bytes());
    }
    rows.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect()
}

fn puts_gets_and_deletes(store: &dyn Store) {
    filled(store, &["a", "b"]);
    assert_eq!(store.get(F, b"a").unwrap().as_deref(), Some(&b"<a>"[..]));
    assert_eq!(store.get(Table::Account, b"a").unwrap(), None, "tables are apart");
    commit(store, Batch::new().delete(F, "a").delete(F, "missing").put(F, "b", "")).unwrap();
    assert_eq!(store.get(F, b"a").unwrap(), None);
    assert_eq!(store.get(F, b"b").unwrap().as_deref(), Some(&b""[..]));
    commit(store, Batch::new()).unwrap();
}

fn ranges_have_bounds_direction_and_limits(store: &dyn Store) {
    filled(store, &["a", "b/1", "b/2", "b/3", "c", "\u{10ffff}"]);
    let all = ["a", "b/1", "b/2", "b/3", "c", "\u{10ffff}"];
    let between = |start, end| Range::new(start, end);
    let (included, excluded) = (|k: &str| Bound::Included(k.into()), |k: &str| Bound::Excluded(k.into()));
    let cases: [(Range, &[&str]); 12] = [
        (Range::all(), &all),
        (Range::all().limit(2), &all[..2]),
        (Range::all().limit(0), &[]),
        (Range::all().reverse().limit(2), &["\u{10ffff}", "c"]),
        (Range::prefix(b"b/"), &all[1..4]),
        (Range::prefix(b"b/").reverse(), &["b/3", "b/2", "b/1"]),
        (Range::prefix(b"b/").after(b"b/1"), &all[2..4]),
        (Range::prefix(b"b/").reverse().after(b"b/2"), &["b/1"]),
        (between(included("b/1"), included("b/2")), &all[1..3]),
        (between(excluded("b/1"), excluded("c")), &all[2..4]),
        (between(included("c"), excluded("a")), &[]),
        (Range::all().limit_bytes(14), &all[..2]),
    ];
    for (range, want) in cases {
        assert_eq!(keys(store, &range), want, "{range:?}");
    }
    assert_eq!(keys(store, &Range::all().limit_bytes(1)), ["a"], "one row is always given");
}

fn pages_cover_everything(store: &dyn Store) {
    let batch = (0..500).fold(Batch::new(), |batch, i| batch.put(F, format!("{i:03}"), format!("{i}")));
    commit(store, batch).unwrap();
    for range in [Range::all().limit(7), Range::all().limit_bytes(20), Range::all().reverse().limit(499)] {
        let mut seen = Vec::new();
        for_each::<StoreError>(store, F, range, |key, _| {
            seen.push(key.to_vec());
            Ok(())
        })
        .unwrap();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 500);
    }
}

fn deleted_ranges_end_before_their_end(store: &dyn Store) {
    filled(store, &["a", "b", "c", "d"]);
    commit(store, Batch::new().delete_range(F, "b", "d").delete_range(F, "z", "a")).unwrap();
    assert_eq!(keys(store, &Range::all()), ["a", "d"]);
    commit(store, Batch::new().delete_range(F, "a", "b").put(F, "a", "<a>")).unwrap();
    assert_eq!(keys(store, &Range::all()), ["a", "d"], "in the order of the batch");
}

fn expectations_decide_the_whole_batch(store: &dyn Store) {
    filled(store, &["a"]);
    let cases = [
        (Batch::new().expect_absent(F, "a"), Some("a")),
        (Batch::new().expect(F, "a", "other"), Some("a")),
        (Batch::new().expect(F, "b", "<b>"), Some("b")),
        (Batch::new().expect(F, "a", "<a>").expect_absent(F, "a"), Some("a")),
        (Batch::new().expect(F, "a", "<a>").expect_absent(F, "b"), None),
    ];
    for (batch, conflict) in cases {
        let case = format!("{batch:?}");
        match (commit(store, batch.put(F, "done", "<done>")), conflict) {
            (Ok(()), None) => assert!(store.get(F, b"done").unwrap().is_some()),
            (Err(CommitError::Conflict { table: F, key }), Some(want)) => {
                assert_eq!(key, want.as_bytes(), "{case}");
                assert_eq!(store.get(F, b"done").unwrap(), None, "{case}");
            }
            (got, _) => panic!("{case}: {got:?}"),
        }
    }
    let refused = commit(store, Batch::new().expect_absent(Table::Logs, "a"));
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Unguarded { table: Table::Logs }))));
}

fn sizes_are_limited(store: &dyn Store) {
    let big = vec![0; VALUE_BYTES_MAX + 1];
    let cases = [
        (Batch::new().put(F, vec![0; KEY_BYTES_MAX + 1], ""), "key"),
        (Batch::new().expect_absent(F, vec![0; KEY_BYTES_MAX + 1]), "key"),
        (Batch::new().put(F, "a", big.clone()), "value"),
        ((0..5).fold(Batch::new(), |b, i| b.put(F, [i], &big[1..])), "batch"),
    ];
    for (batch, want) in cases {
        match commit(store, batch) {
            Err(CommitError::Store(StoreError::TooLarge { what, .. })) => assert_eq!(what, want),
            other => panic!("{want}: {other:?}"),
        }
    }
    assert_eq!(keys(store, &Range::all()), [""; 0]);
    commit(store, Batch::new().put(F, vec![b'k'; KEY_BYTES_MAX], &big[1..])).unwrap();
}

/// Threads add one to the same counter and to one of their own; no addition may be lost.
fn compare_and_set_loses_nothing(store: &Arc<dyn Store>) {
    const THREADS: u32 = 8;
    const ADDITIONS: u32 = 25;
    fn add_one(store: &dyn Store, key: &str) {
        loop {
            let old = store.get(F, key.as_bytes()).unwrap();
            let number: u32 = old.as_deref().map_or(0, |v| str::from_utf8(v).unwrap().parse().unwrap());
            let batch = match old {
                Some(old) => Batch::new().expect(F, key, old),
                None => Batch::new().expect_absent(F, key),
            };
            match commit(store, batch.put(F, key, (number + 1).to_string())) {
                Ok(()) => return,
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
    let threads = (0..THREADS).map(|thread| {
        let store = Arc::clone(store);
        thread::spawn(move || {
            for _ in 0..ADDITIONS {
                add_one(&*store, "shared");
                add_one(&*store, &format!("own/{thread}"));
            }
        })
    });
    threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
    let total = (THREADS * ADDITIONS).to_string();
    assert_eq!(store.get(F, b"shared").unwrap().unwrap(), total.as_bytes());
    assert_eq!(store.get(F, b"own/3").unwrap().unwrap(), ADDITIONS.to_string().as_bytes());
}

fn each_case(open: impl Fn(&std::path::Path) -> Arc<dyn Store>) {
    let cases: [fn(&dyn Store); 6] = [
        puts_gets_and_deletes,
        ranges_have_bounds_direction_and_limits,
        pages_cover_everything,
        deleted_ranges_end_before_their_end,
        expectations_decide_the_whole_batch,
        sizes_are_limited,
    ];
    for case in cases {
        let dir = tempfile::tempdir().unwrap();
        case(&*open(dir.path()));
    }
    let dir = tempfile::tempdir().unwrap();
    compare_and_set_loses_nothing(&open(dir.path()));
}

#[test]
fn mem() {
    each_case(|_| Arc::new(MemStore::new()));
}

#[test]
fn rocks() {
    each_case(|dir| Arc::new(RocksStore::open(dir).unwrap()));
}
