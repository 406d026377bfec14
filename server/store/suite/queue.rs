//! The due queue.

use std::collections::BTreeSet;
use std::sync::Arc;

use lambd_store::*;

use super::{F, Shared, commit, value};

const Q: &str = "q";
const LEASE_MS: u64 = 100;

async fn enqueued(store: &dyn Store, entries: &[(&str, u64)]) {
    let add = |batch: Batch, (id, due_ms): &(&str, u64)| {
        batch.enqueue(Q, *id, *due_ms, format!("entry {id}"), format!("payload {id}"))
    };
    commit(store, entries.iter().fold(Batch::new(), add)).await.unwrap();
}

async fn claim(store: &dyn Store, now_ms: u64, max: usize) -> Vec<Claim> {
    store.claim(Q, now_ms, max, LEASE_MS).await.unwrap()
}

fn ids(claims: &[Claim]) -> Vec<&str> {
    claims.iter().map(|claim| claim.id.as_str()).collect()
}

async fn is_lost(store: &dyn Store, batch: Batch, want: &str) {
    match commit(store, batch.put(F, "done", "")).await {
        Err(CommitError::LeaseLost { queue, id }) => assert_eq!((queue.as_str(), id.as_str()), (Q, want)),
        other => panic!("{other:?}"),
    }
    assert_eq!(value(store, "done").await, None);
}

pub(crate) async fn entries_come_when_they_are_due(store: Shared) {
    enqueued(&*store, &[("late", 30), ("b", 20), ("a", 20), ("early", 10)]).await;
    assert_eq!(store.next_due(Q).await.unwrap(), Some(10));
    assert_eq!(claim(&*store, 9, 10).await, []);
    assert_eq!(claim(&*store, 50, 0).await, []);
    let claims = claim(&*store, 29, 2).await;
    assert_eq!(ids(&claims), ["early", "a"], "the longest due first, equals by their ids");
    let early = &claims[0];
    assert_eq!((early.entry.as_slice(), early.due_ms, early.claims), (&b"entry early"[..], 10, 1));
    assert_eq!(ids(&claim(&*store, 29, 10).await), ["b"]);
    assert_eq!(store.next_due(Q).await.unwrap(), Some(30));
    assert_eq!(ids(&claim(&*store, 30, 10).await), ["late"], "due at this very time");
    enqueued(&*store, &[("earlier", 5)]).await;
    assert_eq!(ids(&claim(&*store, 5, 10).await), ["earlier"], "before all that were due already");
    assert_eq!(store.payload(Q, "b").await.unwrap().unwrap(), b"payload b");
    assert_eq!(store.payload(Q, "c").await.unwrap(), None);
    enqueued(&*store, &[("last", u64::MAX)]).await;
    let everything = claim(&*store, u64::MAX, 10).await;
    assert_eq!(everything.last().unwrap().id, "last", "at the end of time");
}

pub(crate) async fn claimed_entries_are_hidden_until_the_lease_ends(store: Shared) {
    enqueued(&*store, &[("a", 10)]).await;
    assert_eq!(ids(&claim(&*store, 20, 10).await), ["a"]);
    assert_eq!(claim(&*store, 20 + LEASE_MS - 1, 10).await, []);
    assert_eq!(store.next_due(Q).await.unwrap(), Some(20 + LEASE_MS));
    let again = claim(&*store, 20 + LEASE_MS, 10).await;
    assert_eq!(ids(&again), ["a"]);
    assert_eq!((again[0].claims, again[0].due_ms), (2, 20 + LEASE_MS));
}

pub(crate) async fn acknowledged_entries_are_gone(store: Shared) {
    enqueued(&*store, &[("a", 10), ("b", 10)]).await;
    let claims = claim(&*store, 10, 1).await;
    commit(&*store, Batch::new().ack(&claims[0])).await.unwrap();
    assert_eq!(store.payload(Q, "a").await.unwrap(), None);
    assert_eq!(ids(&claim(&*store, u64::MAX, 10).await), ["b"]);
    is_lost(&*store, Batch::new().ack(&claims[0]), "a").await;
    enqueued(&*store, &[("a", 10)]).await;
    is_lost(&*store, Batch::new().ack(&claims[0]), "a").await;
    let late = claim(&*store, 10, 1).await;
    assert_eq!((late[0].id.as_str(), late[0].claims), ("a", 1), "a new entry with the same id");
    commit(&*store, Batch::new().ack(&late[0])).await.unwrap();
}

pub(crate) async fn released_entries_come_later_with_their_new_part(store: Shared) {
    enqueued(&*store, &[("a", 10)]).await;
    let claims = claim(&*store, 10, 1).await;
    commit(&*store, Batch::new().release(&claims[0], 50, "second attempt")).await.unwrap();
    is_lost(&*store, Batch::new().ack(&claims[0]), "a").await;
    assert_eq!(store.next_due(Q).await.unwrap(), Some(50));
    assert_eq!(claim(&*store, 49, 1).await, []);
    let again = claim(&*store, 50, 1).await;
    assert_eq!((again[0].entry.as_slice(), again[0].claims), (&b"second attempt"[..], 2));
    assert_eq!(store.payload(Q, "a").await.unwrap().unwrap(), b"payload a");
    commit(&*store, Batch::new().release(&again[0], 5, "at once")).await.unwrap();
    assert_eq!(ids(&claim(&*store, 5, 1).await), ["a"], "earlier than before");
}

pub(crate) async fn extended_leases_end_later(store: Shared) {
    enqueued(&*store, &[("a", 10)]).await;
    let claims = claim(&*store, 10, 1).await;
    commit(&*store, Batch::new().extend(&claims[0], 500)).await.unwrap();
    assert_eq!(claim(&*store, 499, 1).await, []);
    commit(&*store, Batch::new().extend(&claims[0], 600)).await.unwrap();
    assert_eq!(claim(&*store, 599, 1).await, []);
    commit(&*store, Batch::new().ack(&claims[0])).await.unwrap();
    assert_eq!(store.next_due(Q).await.unwrap(), None);
}

pub(crate) async fn lost_leases_are_refused(store: Shared) {
    enqueued(&*store, &[("a", 10), ("b", 10)]).await;
    let old = claim(&*store, 10, 1).await;
    let late = Batch::new().extend(&old[0], 10 + LEASE_MS);
    commit(&*store, late).await.unwrap();
    let new = claim(&*store, 10 + LEASE_MS, 10).await;
    assert_eq!(ids(&new), ["b", "a"]);
    is_lost(&*store, Batch::new().ack(&old[0]), "a").await;
    is_lost(&*store, Batch::new().release(&old[0], 0, ""), "a").await;
    is_lost(&*store, Batch::new().extend(&old[0], 0), "a").await;
    is_lost(&*store, Batch::new().ack(&new[0]).ack(&old[0]), "a").await;
    assert!(store.payload(Q, "b").await.unwrap().is_some(), "all or nothing");
    commit(&*store, Batch::new().ack(&new[0]).ack(&new[1])).await.unwrap();
    assert_eq!(store.next_due(Q).await.unwrap(), None);
    enqueued(&*store, &[("c", 10)]).await;
    let claims = claim(&*store, 10, 1).await;
    assert_eq!(
        claim(&*store, 11, 1).await,
        [],
        "an ended lease that was not claimed again must not be refused"
    );
    commit(&*store, Batch::new().ack(&claims[0])).await.unwrap();
}

pub(crate) async fn entries_and_rows_change_together(store: Shared) {
    let batch = Batch::new().expect_absent(F, "row").put(F, "row", "1").enqueue(Q, "a", 10, "", "");
    commit(&*store, batch.clone()).await.unwrap();
    assert_eq!(value(&*store, "row").await.unwrap(), "1");
    let claims = claim(&*store, 10, 1).await;
    let move_on = Batch::new().ack(&claims[0]).enqueue("next", "a", 10, "", "");
    let refused = commit(&*store, move_on.clone().expect_absent(F, "row")).await;
    assert!(matches!(refused, Err(CommitError::Conflict { .. })), "{refused:?}");
    assert_eq!(store.next_due("next").await.unwrap(), None);
    commit(&*store, move_on).await.unwrap();
    assert_eq!(store.next_due(Q).await.unwrap(), None);
    assert_eq!(store.next_due("next").await.unwrap(), Some(10));
}

pub(crate) async fn one_entry_is_changed_once(store: Shared) {
    let batch = Batch::new().enqueue(Q, "a", 10, "", "").enqueue("other", "a", 10, "", "");
    commit(&*store, batch).await.unwrap();
    let claims = claim(&*store, 10, 1).await;
    let refused = commit(&*store, Batch::new().ack(&claims[0]).enqueue(Q, "a", 20, "", "")).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Invalid { .. }))), "{refused:?}");
    assert!(store.payload(Q, "a").await.unwrap().is_some());
}

pub(crate) async fn entries_are_not_doubled(store: Shared) {
    enqueued(&*store, &[("a", 10)]).await;
    for _ in 0..2 {
        match commit(&*store, Batch::new().enqueue(Q, "a", 5, "new", "new").put(F, "done", "")).await {
            Err(CommitError::Exists { queue, id }) => assert_eq!((queue.as_str(), id.as_str()), (Q, "a")),
            other => panic!("{other:?}"),
        }
        assert_eq!(value(&*store, "done").await, None);
        assert_eq!(store.payload(Q, "a").await.unwrap().unwrap(), b"payload a");
        claim(&*store, 10, 1).await;
    }
}

pub(crate) async fn queues_are_separate_and_listed(store: Shared) {
    assert_eq!(store.queues(None, 10).await.unwrap(), [""; 0]);
    let names = ["", "a", "a/b", "ab", "b"];
    for (i, name) in (0..).zip(names) {
        let batch = (0..3).fold(Batch::new(), |b, id| b.enqueue(name, format!("{id}"), i, name, name));
        commit(&*store, batch).await.unwrap();
    }
    assert_eq!(store.queues(None, 10).await.unwrap(), names);
    assert_eq!(store.queues(None, 2).await.unwrap(), names[..2]);
    assert_eq!(store.queues(Some("a"), 2).await.unwrap(), names[2..4]);
    assert_eq!(store.queues(Some("aa"), 10).await.unwrap(), names[3..]);
    assert_eq!(store.queues(Some("b"), 10).await.unwrap(), [""; 0]);
    for (i, name) in (0..).zip(names) {
        assert_eq!(store.next_due(name).await.unwrap(), Some(i));
        let claims = store.claim(name, i, 10, 1).await.unwrap();
        assert!(claims.len() == 3 && claims.iter().all(|c| c.queue == name && c.entry == name.as_bytes()));
        let batch = claims.iter().fold(Batch::new(), Batch::ack);
        commit(&*store, batch).await.unwrap();
    }
    assert_eq!(store.queues(None, 10).await.unwrap(), [""; 0], "a queue is its entries");
}

pub(crate) async fn depth_counts_what_waits(store: Shared) {
    assert_eq!(store.depth(Q, 10).await.unwrap(), Depth::default());
    enqueued(&*store, &[("a", 10), ("b", 12), ("c", 14), ("d", 90)]).await;
    claim(&*store, 10, 1).await;
    let depth = Depth { due: 2, claimed: 1, later: 1, oldest_due_ms: Some(12) };
    assert_eq!(store.depth(Q, 20).await.unwrap(), depth);
    let depth = Depth { due: 4, claimed: 0, later: 0, oldest_due_ms: Some(12) };
    assert_eq!(store.depth(Q, 10 + LEASE_MS).await.unwrap(), depth, "the lease is over");
    let many = (0..RANGE_ROWS_MAX).fold(Batch::new(), |b, i| b.enqueue("many", format!("{i}"), 1, "", ""));
    commit(&*store, many.enqueue("many", "one more", 1, "", "")).await.unwrap();
    assert_eq!(store.depth("many", 1).await.unwrap().due, RANGE_ROWS_MAX, "not more are counted");
    assert_eq!(store.claim("many", 1, usize::MAX, 1).await.unwrap().len(), CLAIMS_MAX);
}

/// Tasks claim and acknowledge while others enqueue; each entry must be claimed once, by one task.
pub(crate) async fn no_entry_is_claimed_twice(store: Shared) {
    const ENTRIES: usize = 200;
    const TASKS: usize = 4;
    let enqueue = (0..TASKS).map(|task| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for i in (task..ENTRIES).step_by(TASKS) {
                commit(&*store, Batch::new().enqueue(Q, format!("{i}"), 1, "", "")).await.unwrap();
            }
        })
    });
    let enqueue: Vec<_> = enqueue.collect();
    let (sender, mut taken) = tokio::sync::mpsc::unbounded_channel();
    let workers = (0..TASKS).map(|_| {
        let (store, sender) = (Arc::clone(&store), sender.clone());
        tokio::spawn(async move {
            loop {
                for claim in store.claim(Q, 1, 3, LEASE_MS).await.unwrap() {
                    store.commit(Batch::new().ack(&claim), Durability::Buffered).await.unwrap();
                    sender.send(claim.id).unwrap();
                }
                tokio::task::yield_now().await;
            }
        })
    });
    let workers: Vec<_> = workers.collect();
    let mut ids = BTreeSet::new();
    while ids.len() < ENTRIES {
        assert!(ids.insert(taken.recv().await.unwrap()), "claimed twice");
    }
    for task in enqueue {
        task.await.unwrap();
    }
    for worker in workers {
        worker.abort();
        let _ = worker.await;
    }
    assert_eq!(store.next_due(Q).await.unwrap(), None);
    assert!(taken.try_recv().is_err());
}
