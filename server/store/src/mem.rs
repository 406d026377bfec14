//! The store in memory, for tests.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{
    Batch, BoxFuture, CLAIMS_MAX, Claim, CommitError, Depth, Direction, Durability, Feed, Hub, Op,
    RANGE_ROWS_MAX, Range, Row, RowVersion, Store, StoreError, Table, check_name,
};

type Rows = BTreeMap<Vec<u8>, (RowVersion, Vec<u8>)>;

#[derive(Debug)]
struct Entry {
    due_ms: u64,
    /// Token of the current claim; 0 if the entry is not claimed.
    token: u64,
    claims: u32,
    entry: Vec<u8>,
    payload: Vec<u8>,
}

#[derive(Debug, Default)]
struct State {
    tables: [Rows; Table::ALL.len()],
    queues: BTreeMap<String, BTreeMap<String, Entry>>,
    last_version: u64,
    hub: Hub,
}

/// A store in memory, for tests; dropping it loses everything.
#[derive(Debug, Default)]
pub struct MemStore {
    state: Mutex<State>,
}

impl MemStore {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ready<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, T> {
    Box::pin(std::future::ready(value))
}

fn bounds(range: &Range) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let start = range.first().map_or(Bound::Unbounded, Bound::Included);
    (start, range.last().map_or(Bound::Unbounded, Bound::Excluded))
}

/// Whether the range is empty; `BTreeMap::range` panics when the start is after the end.
fn is_empty(start: Option<&[u8]>, end: Option<&[u8]>) -> bool {
    matches!((start, end), (Some(start), Some(end)) if start >= end)
}

impl State {
    fn range(&self, table: Table, range: &Range) -> Vec<Row> {
        if is_empty(range.first().as_deref(), range.last().as_deref()) {
            return Vec::new();
        }
        let rows = self.tables[table as usize].range(bounds(range));
        let rows = rows.map(|(key, (version, value))| {
            Ok::<_, Infallible>(Row { key: key.clone(), value: value.clone(), version: *version })
        });
        let taken = match range.direction() {
            Direction::Forward => range.take(rows),
            Direction::Reverse => range.take(rows.rev()),
        };
        taken.unwrap_or_else(|never| match never {})
    }

    fn entry(&mut self, queue: &str, id: &str) -> Option<&mut Entry> {
        self.queues.get_mut(queue)?.get_mut(id)
    }

    fn commit(&mut self, batch: Batch) -> Result<RowVersion, CommitError> {
        for expectation in &batch.expectations {
            let row = self.tables[expectation.table as usize].get(&expectation.key);
            expectation.check(row.map(|(version, _)| *version))?;
        }
        for op in &batch.ops {
            if let Some((queue, id)) = op.entry() {
                let token = self.entry(queue, id).map(|entry| entry.token);
                op.check(token)?;
            }
            self.refuse_too_many(op)?;
        }
        self.last_version += 1;
        for op in batch.ops {
            self.apply(op);
        }
        Ok(RowVersion(self.last_version))
    }

    fn refuse_too_many(&self, op: &Op) -> Result<(), StoreError> {
        match op {
            Op::DeleteRange { table, start, end } if table.is_versioned() && start < end => {
                let rows = self.tables[*table as usize].range(start.clone()..end.clone());
                if rows.take(RANGE_ROWS_MAX + 1).count() > RANGE_ROWS_MAX {
                    return Err(StoreError::TooMany { table: *table, limit: RANGE_ROWS_MAX });
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Put { table, key, value } => {
                let version =
                    if table.is_versioned() { RowVersion(self.last_version) } else { RowVersion::NONE };
                self.hub.publish(table, &key, Some(version));
                self.tables[table as usize].insert(key, (version, value));
            }
            Op::Delete { table, key } => self.remove(table, &key),
            Op::DeleteRange { table, start, end } if start < end => {
                let rows = self.tables[table as usize].range(start..end);
                let keys: Vec<_> = rows.map(|(key, _)| key.clone()).collect();
                keys.iter().for_each(|key| self.remove(table, key));
            }
            Op::DeleteRange { .. } => {}
            Op::Enqueue { queue, id, due_ms, entry, payload } => {
                let entry = Entry { due_ms, token: 0, claims: 0, entry, payload };
                self.queues.entry(queue).or_default().insert(id, entry);
            }
            Op::Ack { queue, id, .. } => {
                let entries = self.queues.entry(queue.clone()).or_default();
                entries.remove(&id);
                if entries.is_empty() {
                    self.queues.remove(&queue);
                }
            }
            Op::Release { queue, id, due_ms, entry, .. } => {
                if let Some(found) = self.entry(&queue, &id) {
                    (found.due_ms, found.token, found.entry) = (due_ms, 0, entry);
                }
            }
            Op::Extend { queue, id, until_ms, .. } => {
                if let Some(found) = self.entry(&queue, &id) {
                    found.due_ms = until_ms;
                }
            }
        }
    }

    fn remove(&mut self, table: Table, key: &[u8]) {
        if self.tables[table as usize].remove(key).is_some() {
            self.hub.publish(table, key, None);
        }
    }

    fn claim(&mut self, queue: &str, now_ms: u64, max: usize, lease_ms: u64) -> Vec<Claim> {
        let Some(entries) = self.queues.get_mut(queue) else { return Vec::new() };
        let mut due: Vec<_> = entries.iter_mut().filter(|(_, entry)| entry.due_ms <= now_ms).collect();
        due.sort_by(|(a_id, a), (b_id, b)| (a.due_ms, a_id).cmp(&(b.due_ms, b_id)));
        self.last_version += 1;
        let token = self.last_version;
        let claim = |(id, found): (&String, &mut Entry)| {
            let due_ms = std::mem::replace(&mut found.due_ms, now_ms.saturating_add(lease_ms));
            found.token = token;
            found.claims = found.claims.saturating_add(1);
            let (entry, claims) = (found.entry.clone(), found.claims);
            Claim { queue: queue.to_owned(), id: id.clone(), entry, due_ms, claims, token }
        };
        due.into_iter().take(max.min(CLAIMS_MAX)).map(claim).collect()
    }

    fn next_due(&self, queue: &str) -> Option<u64> {
        let entries = self.queues.get(queue).into_iter().flat_map(BTreeMap::values);
        entries.map(|entry| entry.due_ms).min()
    }

    fn depth(&self, queue: &str, now_ms: u64) -> Depth {
        let mut depth = Depth::default();
        let entries = self.queues.get(queue).into_iter().flat_map(BTreeMap::values);
        for entry in entries.take(RANGE_ROWS_MAX) {
            depth.add(now_ms, entry.due_ms, entry.token != 0);
        }
        depth
    }
}

impl Store for MemStore {
    fn get<'a>(&'a self, table: Table, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Row>, StoreError>> {
        let state = self.lock();
        let row = state.tables[table as usize].get(key);
        let row =
            row.map(|(version, value)| Row { key: key.to_vec(), value: value.clone(), version: *version });
        ready(Ok(row))
    }

    fn range<'a>(&'a self, table: Table, range: &'a Range) -> BoxFuture<'a, Result<Vec<Row>, StoreError>> {
        ready(Ok(self.lock().range(table, range)))
    }

    fn commit(&self, batch: Batch, _: Durability) -> BoxFuture<'_, Result<RowVersion, CommitError>> {
        ready(batch.validate().map_err(CommitError::from).and_then(|()| self.lock().commit(batch)))
    }

    fn watch(&self, table: Table) -> BoxFuture<'_, Result<Feed, StoreError>> {
        ready(self.lock().hub.watch(table))
    }

    fn claim<'a>(
        &'a self,
        queue: &'a str,
        now_ms: u64,
        max: usize,
        lease_ms: u64,
    ) -> BoxFuture<'a, Result<Vec<Claim>, StoreError>> {
        let claim = || self.lock().claim(queue, now_ms, max, lease_ms);
        ready(check_name("queue name", queue).map(|()| claim()))
    }

    fn payload<'a>(
        &'a self,
        queue: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        let payload = || self.lock().entry(queue, id).map(|entry| entry.payload.clone());
        ready(check_name("queue name", queue).map(|()| payload()))
    }

    fn next_due<'a>(&'a self, queue: &'a str) -> BoxFuture<'a, Result<Option<u64>, StoreError>> {
        ready(check_name("queue name", queue).map(|()| self.lock().next_due(queue)))
    }

    fn depth<'a>(&'a self, queue: &'a str, now_ms: u64) -> BoxFuture<'a, Result<Depth, StoreError>> {
        ready(check_name("queue name", queue).map(|()| self.lock().depth(queue, now_ms)))
    }

    fn queues<'a>(
        &'a self,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.lock();
        let names = state.queues.range::<str, _>((start, Bound::Unbounded)).map(|(name, _)| name.clone());
        ready(Ok(names.take(limit.min(RANGE_ROWS_MAX)).collect()))
    }
}
