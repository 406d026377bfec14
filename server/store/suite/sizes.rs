//! Limits of keys, values, batches, names and ranges.

use super::{F, Shared, commit};
use lambd_store::*;

async fn is_too_large(store: &dyn Store, batch: Batch, want: &str) {
    match commit(store, batch).await {
        Err(CommitError::Store(StoreError::TooLarge { what, .. })) => assert_eq!(what, want),
        other => panic!("{want}: {other:?}"),
    }
}

pub(crate) async fn sizes_are_limited(store: Shared) {
    let (long, big) = (vec![0; KEY_BYTES_MAX + 1], vec![0; VALUE_BYTES_MAX + 1]);
    let cases = [
        (Batch::new().put(F, long.clone(), ""), "key"),
        (Batch::new().delete(F, long.clone()), "key"),
        (Batch::new().delete_range(F, "", long.clone()), "key"),
        (Batch::new().expect_absent(F, long), "key"),
        (Batch::new().put(F, "a", big.clone()), "value"),
        (Batch::new().enqueue("q", "i", 0, vec![0; ENTRY_BYTES_MAX + 1], ""), "entry"),
        (Batch::new().enqueue("q", "i", 0, "", big.clone()), "payload"),
        ((0..5).fold(Batch::new(), |b, i| b.put(F, [i], &big[1..])), "batch"),
        ((0..5).fold(Batch::new(), |b, i| b.enqueue("q", format!("{i}"), 0, "", &big[1..])), "batch"),
    ];
    for (batch, want) in cases {
        is_too_large(&*store, batch, want).await;
    }
    assert_eq!(store.range(F, &Range::all()).await.unwrap(), []);
    assert_eq!(store.next_due("q").await.unwrap(), None);
    let most = Batch::new().put(F, vec![b'k'; KEY_BYTES_MAX], &big[1..]);
    commit(&*store, most.enqueue("q", "i", 0, vec![0; ENTRY_BYTES_MAX], &big[1..])).await.unwrap();
    assert_eq!(store.payload("q", "i").await.unwrap().unwrap().len(), VALUE_BYTES_MAX);
}

pub(crate) async fn names_are_limited(store: Shared) {
    let long = "n".repeat(NAME_BYTES_MAX + 1);
    is_too_large(&*store, Batch::new().enqueue(&long, "i", 0, "", ""), "queue name").await;
    is_too_large(&*store, Batch::new().enqueue("q", &long, 0, "", ""), "entry id").await;
    for batch in [Batch::new().enqueue("q\0", "i", 0, "", ""), Batch::new().enqueue("q", "\0", 0, "", "")] {
        let refused = commit(&*store, batch).await;
        assert!(matches!(refused, Err(CommitError::Store(StoreError::Invalid { .. }))), "{refused:?}");
    }
    let refused = store.claim("q\0", 1, 1, 1).await;
    assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{refused:?}");
    commit(&*store, Batch::new().enqueue(&long[1..], &long[1..], 0, "", "")).await.unwrap();
    assert_eq!(store.claim(&long[1..], 0, 1, 1).await.unwrap().len(), 1);
}

pub(crate) async fn deleted_ranges_are_limited(store: Shared) {
    let fill =
        |table| (0..=RANGE_ROWS_MAX).fold(Batch::new(), |batch, i| batch.put(table, format!("{i:05}"), ""));
    commit(&*store, fill(F)).await.unwrap();
    let refused = commit(&*store, Batch::new().put(F, "x", "").delete_range(F, "0", "2")).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::TooMany { table: F, .. }))), "{refused:?}");
    assert_eq!(store.get(F, b"x").await.unwrap(), None);
    commit(&*store, Batch::new().delete_range(F, "00001", "2")).await.unwrap();
    assert_eq!(store.range(F, &Range::all()).await.unwrap().len(), 1);
    commit(&*store, fill(Table::Logs).delete_range(Table::Logs, "0", "2")).await.unwrap();
    assert_eq!(store.range(Table::Logs, &Range::all()).await.unwrap(), []);
}
