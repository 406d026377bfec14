//! The feed of changes.

use super::{F, Shared, commit};
use lambd_store::*;

fn row(key: &str, version: Option<RowVersion>) -> Change {
    Change::Row { key: key.as_bytes().into(), version }
}

pub(crate) async fn feeds_have_every_change_in_order(store: Shared) {
    commit(&*store, Batch::new().put(F, "0", "")).await.unwrap();
    let mut feed = store.watch(F).await.unwrap();
    let mut other = store.watch(Table::Account).await.unwrap();
    let first = commit(&*store, Batch::new().put(F, "a", "").put(F, "b", "")).await.unwrap();
    let refused = commit(&*store, Batch::new().expect_absent(F, "a").put(F, "b", "never")).await;
    assert!(refused.is_err());
    commit(&*store, Batch::new().put(Table::Logs, "a", "").delete(F, "missing")).await.unwrap();
    let second = commit(&*store, Batch::new().put(F, "a", "").put(Table::Account, "x", "")).await.unwrap();
    commit(&*store, Batch::new().delete_range(F, "a", "c")).await.unwrap();
    let last = store.commit(Batch::new().put(F, "end", ""), Durability::Buffered).await.unwrap();
    let (one, two) = (Some(first), Some(second));
    for want in [("a", one), ("b", one), ("a", two), ("a", None), ("b", None), ("end", Some(last))] {
        assert_eq!(feed.next().await.unwrap(), row(want.0, want.1));
    }
    assert_eq!(other.next().await.unwrap(), row("x", two));
    assert!(matches!(store.watch(Table::Logs).await, Err(StoreError::Unversioned { table: Table::Logs })));
}

pub(crate) async fn slow_subscribers_must_read_again(store: Shared) {
    let mut feed = store.watch(F).await.unwrap();
    for part in 0..3 {
        let put = |batch: Batch, i| batch.put(F, format!("{part}/{i}"), "");
        commit(&*store, (0..FEED_CHANGES_MAX).fold(Batch::new(), put)).await.unwrap();
    }
    let end = commit(&*store, Batch::new().put(F, "end", "")).await.unwrap();
    let (mut told, mut resyncs) = (0, 0);
    loop {
        match feed.next().await.unwrap() {
            Change::Resync => resyncs += 1,
            change if change == row("end", Some(end)) => break,
            Change::Row { .. } => told += 1,
        }
    }
    assert!(resyncs > 0);
    assert!(told <= 2 * FEED_CHANGES_MAX, "the kept changes must be bounded: {told}");
}

pub(crate) async fn feeds_end_with_the_store(store: Shared) {
    let mut feed = store.watch(F).await.unwrap();
    let version = commit(&*store, Batch::new().put(F, "a", "")).await.unwrap();
    drop(store);
    assert_eq!(feed.next().await, Some(row("a", Some(version))));
    assert_eq!(feed.next().await, None);
}
