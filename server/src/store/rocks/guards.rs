//! What makes compare-and-set right without giving up group commit.
//!
//! A check and the write that follows it must not be parted by a write to the same key. One lock around
//! both would do, but then no two writers would ever meet in the database, which flushes the log once for
//! all writers that wait. So the lock is split by key: a batch holds the stripes of the keys that it
//! expects or writes, and batches of different keys flush together.

use crate::store::{
    Batch, Table,
    batch::{Expectation, Op},
};
use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// Two keys share a stripe with a chance of one in this number; they then only wait for each other.
const STRIPES: u64 = 256;

pub(super) struct Guards {
    stripes: Box<[Mutex<()>]>,
    /// A deleted range may cover any key, so such a batch excludes all others. They are rare.
    ranges: RwLock<()>,
}

/// Held from the check of a batch to the end of its write.
pub(super) enum Guard<'a> {
    Keys(#[expect(dead_code, reason = "held for its drop")] KeyGuards<'a>),
    All(#[expect(dead_code, reason = "held for its drop")] RwLockWriteGuard<'a, ()>),
}

type KeyGuards<'a> = (Vec<MutexGuard<'a, ()>>, RwLockReadGuard<'a, ()>);

impl Default for Guards {
    fn default() -> Self {
        Self { stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(), ranges: RwLock::new(()) }
    }
}

impl Guards {
    pub(super) fn lock(&self, batch: &Batch) -> Guard<'_> {
        let is_range = |op: &Op| matches!(op, Op::DeleteRange { table, .. } if table.is_guarded());
        if batch.ops.iter().any(is_range) {
            return Guard::All(self.ranges.write().unwrap_or_else(PoisonError::into_inner));
        }
        let shared = self.ranges.read().unwrap_or_else(PoisonError::into_inner);
        // In ascending order, so that two batches never wait for each other.
        let stripes = stripes(batch).into_iter().filter_map(|at| self.stripes.get(at));
        let held = stripes.map(|stripe| stripe.lock().unwrap_or_else(PoisonError::into_inner)).collect();
        Guard::Keys((held, shared))
    }
}

fn stripes(batch: &Batch) -> BTreeSet<usize> {
    let expected = batch.expectations.iter().map(|Expectation { table, key, .. }| (*table, key));
    let written = batch.ops.iter().filter_map(|op| match op {
        Op::Put { table, key, .. } | Op::Delete { table, key } => Some((*table, key)),
        Op::DeleteRange { .. } => None,
    });
    expected
        .chain(written)
        .filter(|(table, _)| table.is_guarded())
        .map(|(table, key)| stripe(table, key))
        .collect()
}

fn stripe(table: Table, key: &[u8]) -> usize {
    let mut hasher = DefaultHasher::new();
    (table, key).hash(&mut hasher);
    usize::try_from(hasher.finish() % STRIPES).unwrap_or_default()
}
