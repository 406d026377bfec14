//! A store that can refuse commits or delay them.

use std::sync::{Mutex, PoisonError};

use lambd_store::{
    Batch, BoxFuture, Claim, CommitError, Depth, Durability, Feed, MemStore, Range, Row, RowVersion, Store,
    StoreError, Table,
};
use tokio::sync::watch;

/// Accepts a number of commits, and refuses all others until more are allowed.
#[derive(Debug)]
pub(crate) struct Limited {
    pub(crate) inner: MemStore,
    left: Mutex<usize>,
    held: watch::Sender<bool>,
}

impl Limited {
    pub(crate) fn new(inner: MemStore, commits: usize) -> Self {
        Self { inner, left: Mutex::new(commits), held: watch::Sender::new(false) }
    }

    pub(crate) fn allow(&self, commits: usize) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = commits;
    }

    /// Delays commits, or lets them go on.
    pub(crate) fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }
}

impl Store for Limited {
    fn get<'a>(&'a self, table: Table, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Row>, StoreError>> {
        self.inner.get(table, key)
    }
    fn range<'a>(&'a self, table: Table, range: &'a Range) -> BoxFuture<'a, Result<Vec<Row>, StoreError>> {
        self.inner.range(table, range)
    }
    fn commit(&self, batch: Batch, durability: Durability) -> BoxFuture<'_, Result<RowVersion, CommitError>> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(now) = left.checked_sub(1) else {
            return Box::pin(async { Err(StoreError::Stalled.into()) });
        };
        *left = now;
        let mut held = self.held.subscribe();
        Box::pin(async move {
            // The sender belongs to this value, so it is not dropped during the wait.
            let _ = held.wait_for(|held| !held).await;
            self.inner.commit(batch, durability).await
        })
    }
    fn watch(&self, table: Table) -> BoxFuture<'_, Result<Feed, StoreError>> {
        self.inner.watch(table)
    }
    fn claim<'a>(
        &'a self,
        queue: &'a str,
        now_ms: u64,
        max: usize,
        lease_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<Claim>, StoreError>> {
        self.inner.claim(queue, now_ms, max, lease_ms)
    }
    fn payload<'a>(
        &'a self,
        queue: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        self.inner.payload(queue, id)
    }
    fn next_due<'a>(&'a self, queue: &'a str) -> BoxFuture<'a, Result<Option<u64>, StoreError>> {
        self.inner.next_due(queue)
    }
    fn depth<'a>(&'a self, queue: &'a str, now_ms: u64) -> BoxFuture<'a, Result<Depth, StoreError>> {
        self.inner.depth(queue, now_ms)
    }
    fn queues<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        self.inner.queues(after, limit)
    }
}
