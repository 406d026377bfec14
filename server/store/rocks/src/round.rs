//! One round of the committer. Batches and claims are each checked against the database and what the round
//! has accepted before; the writes of those that hold are collected.

use std::collections::{BTreeMap, BTreeSet};

use lambd_store::{
    Batch, CLAIMS_MAX, Claim, CommitError, Direction, Durability, Hub, Op, RANGE_ROWS_MAX, RowVersion,
    StoreError, Table,
};

use crate::database::{Database, Write};
use crate::entry::Entry;
use crate::family::Family;
use crate::plan::Plan;
use crate::{due, rows};

#[derive(Debug)]
pub(crate) struct Round<'a> {
    database: &'a Database,
    /// The number of the last change before this round.
    last_number: u64,
    synced: bool,
    taken: Plan,
}

impl<'a> Round<'a> {
    pub(crate) fn new(database: &'a Database) -> Self {
        Self { database, last_number: database.last_number(), synced: false, taken: Plan::default() }
    }

    /// The number that RocksDB gives the next write of this round. Versions and tokens are such numbers,
    /// because these are unique and continue after a restart.
    fn next_number(&self) -> u64 {
        self.last_number.saturating_add(self.taken.writes.len() as u64).saturating_add(1)
    }

    /// Accepts `batch` if its conditions hold.
    pub(crate) fn commit(&mut self, batch: Batch, durability: Durability) -> Result<RowVersion, CommitError> {
        let nothing = Plan::default();
        for expectation in &batch.expectations {
            expectation.check(self.version(&nothing, expectation.table, &expectation.key)?)?;
        }
        let mut entries = Vec::with_capacity(batch.ops.len());
        for op in &batch.ops {
            let found = match op.entry() {
                Some((queue, id)) => self.entry(queue, id)?,
                None => None,
            };
            op.check(found.as_ref().map(|entry| entry.token))?;
            entries.push(found);
        }
        let version = RowVersion(self.next_number());
        let mut plan = Plan::default();
        for (op, found) in batch.ops.into_iter().zip(entries) {
            self.add(&mut plan, op, found, version)?;
        }
        self.synced |= durability == Durability::Synced;
        self.taken.absorb(plan);
        Ok(version)
    }

    /// Adds a change to `plan`; `found` is the current entry if the change is about one.
    fn add(
        &self,
        plan: &mut Plan,
        op: Op,
        found: Option<Entry>,
        version: RowVersion,
    ) -> Result<(), StoreError> {
        match op {
            Op::Put { table, key, value } => plan.put(table, key, value, version),
            Op::Delete { table, key } if table.is_versioned() => {
                if self.version(plan, table, &key)?.is_some() {
                    plan.remove(table, key);
                }
            }
            Op::Delete { table, key } => plan.writes.push(Write::Delete(Family::of(table), key)),
            Op::DeleteRange { start, end, .. } if start >= end => {}
            Op::DeleteRange { table, start, end } if table.is_versioned() => {
                for key in self.keys(plan, table, start, end)? {
                    plan.remove(table, key);
                }
            }
            Op::DeleteRange { table, start, end } => {
                plan.writes.push(Write::DeleteRange(Family::of(table), start, end));
            }
            Op::Enqueue { .. } | Op::Ack { .. } | Op::Release { .. } | Op::Extend { .. } => {
                plan.change_entry(op, found);
            }
        }
        Ok(())
    }

    /// The version that a row has after `plan`.
    fn version(&self, plan: &Plan, table: Table, key: &[u8]) -> Result<Option<RowVersion>, StoreError> {
        let place = (table, key.to_vec());
        if let Some(version) = plan.rows.get(&place).or_else(|| self.taken.rows.get(&place)) {
            return Ok(*version);
        }
        let stored = self.database.pinned(Family::of(table), key)?;
        stored.map(|stored| rows::version(table, key, &stored)).transpose()
    }

    /// The keys that a range has after `plan`.
    fn keys(
        &self,
        plan: &Plan,
        table: Table,
        start: Vec<u8>,
        end: Vec<u8>,
    ) -> Result<BTreeSet<Vec<u8>>, StoreError> {
        let bounds = (table, start.clone())..(table, end.clone());
        let mut changed: BTreeMap<&[u8], bool> = BTreeMap::new();
        for rows in [&self.taken.rows, &plan.rows] {
            let rows = rows.range(bounds.clone());
            changed.extend(rows.map(|((_, key), version)| (key.as_slice(), version.is_some())));
        }
        let present = changed.iter().filter(|(_, present)| **present);
        let mut keys: BTreeSet<Vec<u8>> = present.map(|(key, _)| key.to_vec()).collect();
        for row in self.database.scan(Family::of(table), Some(start), Some(end), Direction::Forward)? {
            let (key, _) = row?;
            if !changed.contains_key(key.as_slice()) {
                keys.insert(key);
            }
            if keys.len() > RANGE_ROWS_MAX {
                return Err(StoreError::TooMany { table, limit: RANGE_ROWS_MAX });
            }
        }
        Ok(keys)
    }

    fn entry(&self, queue: &str, id: &str) -> Result<Option<Entry>, StoreError> {
        match self.taken.entries.get(&(queue.to_owned(), id.to_owned())) {
            Some(entry) => Ok(entry.clone()),
            None => due::entry(self.database, queue, id),
        }
    }

    /// Claims entries that are due in the database. An entry that this round has changed is left to the next
    /// claim: that change has not been answered yet, so the two may be ordered either way.
    pub(crate) fn claim(
        &mut self,
        queue: &str,
        now_ms: u64,
        max: usize,
        lease_ms: u64,
    ) -> Result<Vec<Claim>, StoreError> {
        let end = due::end_of_due(queue, now_ms);
        let (token, until_ms) = (self.next_number(), now_ms.saturating_add(lease_ms));
        let (mut plan, mut claims, mut low) = (Plan::default(), Vec::new(), None);
        for place in due::places(self.database, queue, end.clone())? {
            let place = place?;
            low.get_or_insert(place.key);
            if claims.len() >= max.min(CLAIMS_MAX) {
                break;
            }
            if self.taken.entries.contains_key(&(queue.to_owned(), place.id.clone())) {
                continue;
            }
            let found = due::entry(self.database, queue, &place.id)?;
            let found = found.ok_or_else(|| StoreError::Damaged {
                detail: format!("entry {:?} of queue {queue:?} is missing", place.id),
            })?;
            let claims_before = found.claims;
            let entry = Entry {
                token,
                due_ms: until_ms,
                claims: claims_before.saturating_add(1),
                bytes: found.bytes,
            };
            claims.push(Claim {
                queue: queue.to_owned(),
                id: place.id.clone(),
                entry: entry.bytes.clone(),
                due_ms: place.due_ms,
                claims: entry.claims,
                token,
            });
            plan.set_entry(queue.to_owned(), place.id, Some(place.due_ms), entry);
        }
        // No key is below the first one found. It stays the bound even if this round removes it, because the
        // write can still fail.
        self.database.lows.raise(queue, low.unwrap_or(end));
        self.taken.absorb(plan);
        Ok(claims)
    }

    /// When the first entry in the database is due, or its lease ends. The committer runs it, so that it may
    /// remember the key.
    pub(crate) fn next_due(&self, queue: &str) -> Result<Option<u64>, StoreError> {
        let end = due::end(queue);
        let place = due::places(self.database, queue, end.clone())?.next().transpose()?;
        let (low, due_ms) = place.map_or((end, None), |place| (place.key, Some(place.due_ms)));
        self.database.lows.raise(queue, low);
        Ok(due_ms)
    }

    /// Writes what was accepted and publishes the changes if that succeeded.
    pub(crate) fn write(self, hub: &Hub) -> Result<(), StoreError> {
        let durability = if self.synced { Durability::Synced } else { Durability::Buffered };
        let written = self.database.write(&self.taken.writes, durability);
        // Done also after a failure, when it is unknown what is stored, and before any caller has an answer.
        for (queue, key) in self.taken.lowered {
            self.database.lows.lower(&queue, key);
        }
        written?;
        for (table, key, version) in self.taken.changes {
            hub.publish(table, &key, version);
        }
        Ok(())
    }
}
