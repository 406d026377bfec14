//! Compare-and-set.

use std::sync::Arc;

use lambd_store::*;

use super::{F, Shared, commit, value};

async fn version(store: &dyn Store, key: &str) -> RowVersion {
    store.get(F, key.as_bytes()).await.unwrap().unwrap().version
}

pub(crate) async fn expectations_decide_the_whole_batch(store: Shared) {
    let a = commit(&*store, Batch::new().put(F, "a", "").put(F, "a2", "")).await.unwrap();
    assert_eq!([version(&*store, "a").await, version(&*store, "a2").await], [a, a]);
    let rows = store.range(F, &Range::all()).await.unwrap();
    assert!(rows.len() == 2 && rows.iter().all(|row| row.version == a), "{rows:?}");
    let other = RowVersion(a.0 + 1);
    let cases = [
        (Batch::new().expect_absent(F, "a"), Some("a")),
        (Batch::new().expect_version(F, "a", other), Some("a")),
        (Batch::new().expect_version(F, "b", a), Some("b")),
        (Batch::new().expect_version(F, "a", a).expect_absent(F, "a2"), Some("a2")),
        (Batch::new().expect_version(F, "a", a).expect_absent(F, "b"), None),
    ];
    for (batch, conflict) in cases {
        let case = format!("{batch:?}");
        match (commit(&*store, batch.put(F, "done", "").put(F, "b", "")).await, conflict) {
            (Ok(version), None) => assert!(version > a, "{case}"),
            (Err(CommitError::Conflict { table: F, key }), Some(want)) => {
                assert_eq!(key, want.as_bytes(), "{case}");
                assert_eq!(value(&*store, "done").await, None, "{case}");
            }
            (got, _) => panic!("{case}: {got:?}"),
        }
    }
    assert_eq!(version(&*store, "a").await, a, "what was not written keeps its version");
}

pub(crate) async fn versions_never_come_again(store: Shared) {
    let first = commit(&*store, Batch::new().put(F, "a", "same")).await.unwrap();
    let mut last = first;
    for _ in 0..3 {
        commit(&*store, Batch::new().delete(F, "a")).await.unwrap();
        let gone = Batch::new().expect_version(F, "a", last).put(F, "a", "never");
        assert!(matches!(commit(&*store, gone).await, Err(CommitError::Conflict { .. })));
        let back = commit(&*store, Batch::new().expect_absent(F, "a").put(F, "a", "same")).await.unwrap();
        assert!(back > last);
        let old = Batch::new().expect_version(F, "a", last).put(F, "a", "never");
        assert!(matches!(commit(&*store, old).await, Err(CommitError::Conflict { .. })));
        last = back;
    }
    let same = commit(&*store, Batch::new().expect_version(F, "a", last).put(F, "a", "same")).await.unwrap();
    assert!(same > last, "a write of the same value is a write");
}

pub(crate) async fn only_versioned_tables_have_expectations(store: Shared) {
    let refused = commit(&*store, Batch::new().expect_absent(Table::Logs, "a")).await;
    let is_refused =
        matches!(&refused, Err(CommitError::Store(StoreError::Unversioned { table: Table::Logs })));
    assert!(is_refused, "{refused:?}");
}

async fn add_one(store: &dyn Store, key: &str) {
    loop {
        let old = store.get(F, key.as_bytes()).await.unwrap();
        let number = |row: &Row| str::from_utf8(&row.value).unwrap().parse().unwrap();
        let number: u32 = old.as_ref().map_or(0, number);
        let batch = match old {
            Some(old) => Batch::new().expect_version(F, key, old.version),
            None => Batch::new().expect_absent(F, key),
        };
        match commit(store, batch.put(F, key, (number + 1).to_string())).await {
            Ok(_) => return,
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Tasks add one to a shared counter and to one of their own; no addition may be lost.
pub(crate) async fn compare_and_set_loses_nothing(store: Shared) {
    const TASKS: u32 = 8;
    const ADDITIONS: u32 = 25;
    let tasks = (0..TASKS).map(|task| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for _ in 0..ADDITIONS {
                add_one(&*store, "shared").await;
                add_one(&*store, &format!("own/{task}")).await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(value(&*store, "shared").await.unwrap(), (TASKS * ADDITIONS).to_string());
    assert_eq!(value(&*store, "own/3").await.unwrap(), ADDITIONS.to_string());
}
