//! Reads and writes of rows.

use std::ops::Bound;

use lambd_store::*;

use super::{F, Shared, commit, value};

async fn filled(store: &dyn Store, keys: &[&str]) {
    let put = |batch: Batch, key: &&str| batch.put(F, *key, format!("<{key}>"));
    commit(store, keys.iter().fold(Batch::new(), put)).await.unwrap();
}

async fn keys(store: &dyn Store, range: &Range) -> Vec<String> {
    let rows = store.range(F, range).await.unwrap();
    for row in &rows {
        assert_eq!(row.value, format!("<{}>", String::from_utf8_lossy(&row.key)).as_bytes());
    }
    rows.into_iter().map(|row| String::from_utf8(row.key).unwrap()).collect()
}

pub(crate) async fn rows_are_put_read_and_deleted(store: Shared) {
    filled(&*store, &["a", "b"]).await;
    assert_eq!(value(&*store, "a").await.unwrap(), "<a>");
    assert_eq!(store.get(Table::Account, b"a").await.unwrap(), None, "tables are separate");
    commit(&*store, Batch::new().delete(F, "a").delete(F, "missing").put(F, "b", "")).await.unwrap();
    assert_eq!(value(&*store, "a").await, None);
    assert_eq!(value(&*store, "b").await.unwrap(), "");
    commit(&*store, Batch::new()).await.unwrap();
    commit(&*store, Batch::new().put(F, "c", "1").delete(F, "c").delete(F, "b").put(F, "b", "2"))
        .await
        .unwrap();
    assert_eq!(value(&*store, "c").await, None, "in the order of the batch");
    assert_eq!(value(&*store, "b").await.unwrap(), "2", "in the order of the batch");
}

pub(crate) async fn ranges_have_bounds_direction_and_limits(store: Shared) {
    let all = ["a", "b/1", "b/2", "b/3", "c", "\u{10ffff}"];
    filled(&*store, &all).await;
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
        assert_eq!(keys(&*store, &range).await, want, "{range:?}");
    }
    assert_eq!(keys(&*store, &Range::all().limit_bytes(1)).await, ["a"], "one row is always given");
}

pub(crate) async fn pages_cover_everything(store: Shared) {
    let batch = (0..500).fold(Batch::new(), |batch, i| batch.put(F, format!("{i:03}"), format!("{i}")));
    commit(&*store, batch).await.unwrap();
    for range in [Range::all().limit(7), Range::all().limit_bytes(20), Range::all().reverse().limit(499)] {
        let mut seen = Vec::new();
        let visit = |row: Row| {
            seen.push(row.key);
            Ok::<(), StoreError>(())
        };
        for_each(&*store, F, range, visit).await.unwrap();
        assert_eq!(seen.len(), 500);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 500);
    }
}

pub(crate) async fn deleted_ranges_end_before_their_end(store: Shared) {
    filled(&*store, &["a", "b", "c", "d"]).await;
    commit(&*store, Batch::new().delete_range(F, "b", "d").delete_range(F, "z", "a")).await.unwrap();
    assert_eq!(keys(&*store, &Range::all()).await, ["a", "d"]);
    commit(&*store, Batch::new().delete_range(F, "a", "b").put(F, "a", "<a>")).await.unwrap();
    assert_eq!(keys(&*store, &Range::all()).await, ["a", "d"], "in the order of the batch");
    commit(&*store, Batch::new().put(F, "e", "<e>").delete_range(F, "e", "f")).await.unwrap();
    assert_eq!(keys(&*store, &Range::all()).await, ["a", "d"], "in the order of the batch");
}

pub(crate) async fn tables_without_versions_hold_rows_too(store: Shared) {
    let logs = Table::Logs;
    let batch = ["a", "b", "c", "d"].iter().fold(Batch::new(), |batch, key| batch.put(logs, *key, *key));
    let batch = batch.delete_range(logs, "b", "d").put(logs, "c", "again").delete(logs, "a");
    commit(&*store, batch).await.unwrap();
    let rows = store.range(logs, &Range::all()).await.unwrap();
    let row =
        |key: &str, value: &str| Row { key: key.into(), value: value.into(), version: RowVersion::NONE };
    assert_eq!(rows, [row("c", "again"), row("d", "d")]);
    assert_eq!(store.get(logs, b"c").await.unwrap(), Some(row("c", "again")));
    assert_eq!(store.get(logs, b"a").await.unwrap(), None);
}
