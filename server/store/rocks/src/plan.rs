//! Planned writes, and the state of the database after them.

use std::collections::{BTreeMap, HashMap};

use lambd_store::{Op, RowVersion, Table};

use crate::database::Write;
use crate::entry::Entry;
use crate::family::{EVENTS, Family};
use crate::{due, rows};

/// The effect of one batch, or of the whole round, on the database.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) writes: Vec<Write>,
    /// The versioned rows that it changes, with their new versions; `None` if removed.
    pub(crate) rows: BTreeMap<(Table, Vec<u8>), Option<RowVersion>>,
    /// The entries that it changes, with their new state; `None` if removed.
    pub(crate) entries: HashMap<(String, String), Option<Entry>>,
    /// The changes to publish, in order.
    pub(crate) changes: Vec<(Table, Vec<u8>, Option<RowVersion>)>,
    /// The keys that it adds to the order of a queue.
    pub(crate) lowered: Vec<(String, Vec<u8>)>,
}

impl Plan {
    pub(crate) fn absorb(&mut self, other: Self) {
        self.writes.extend(other.writes);
        self.rows.extend(other.rows);
        self.entries.extend(other.entries);
        self.changes.extend(other.changes);
        self.lowered.extend(other.lowered);
    }

    pub(crate) fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>, version: RowVersion) {
        let stored = rows::encode(table, version, value);
        if table.is_versioned() {
            self.rows.insert((table, key.clone()), Some(version));
            self.changes.push((table, key.clone(), Some(version)));
        }
        self.writes.push(Write::Put(Family::of(table), key, stored));
    }

    /// Removes a row of a versioned table.
    pub(crate) fn remove(&mut self, table: Table, key: Vec<u8>) {
        self.rows.insert((table, key.clone()), None);
        self.changes.push((table, key.clone(), None));
        self.writes.push(Write::Delete(Family::of(table), key));
    }

    /// Stores `entry` under `id` of the queue; `before` is the due time that it had.
    pub(crate) fn set_entry(&mut self, queue: String, id: String, before: Option<u64>, entry: Entry) {
        self.remove_place(&queue, &id, before);
        let place = due::due_key(&queue, entry.due_ms, &id);
        self.lowered.push((queue.clone(), place.clone()));
        self.writes.push(Write::Put(EVENTS, place, Vec::new()));
        self.writes.push(Write::Put(EVENTS, due::entry_key(&queue, &id), entry.encode()));
        self.entries.insert((queue, id), Some(entry));
    }

    fn remove_place(&mut self, queue: &str, id: &str, due_ms: Option<u64>) {
        if let Some(due_ms) = due_ms {
            self.writes.push(Write::Delete(EVENTS, due::due_key(queue, due_ms, id)));
        }
    }

    /// Applies a change of an entry that [`Op::check`] has accepted; `found` is the current entry.
    pub(crate) fn change_entry(&mut self, op: Op, found: Option<Entry>) {
        let before = found.as_ref().map(|entry| entry.due_ms);
        match (op, found) {
            (Op::Enqueue { queue, id, due_ms, entry: bytes, payload }, _) => {
                self.writes.push(Write::Put(EVENTS, due::payload_key(&queue, &id), payload));
                self.set_entry(queue, id, before, Entry { token: 0, claims: 0, due_ms, bytes });
            }
            (Op::Ack { queue, id, .. }, _) => {
                self.remove_place(&queue, &id, before);
                self.writes.push(Write::Delete(EVENTS, due::entry_key(&queue, &id)));
                self.writes.push(Write::Delete(EVENTS, due::payload_key(&queue, &id)));
                self.entries.insert((queue, id), None);
            }
            (Op::Release { queue, id, due_ms, entry: bytes, .. }, Some(found)) => {
                self.set_entry(queue, id, before, Entry { token: 0, due_ms, bytes, ..found });
            }
            (Op::Extend { queue, id, until_ms, .. }, Some(found)) => {
                self.set_entry(queue, id, before, Entry { due_ms: until_ms, ..found });
            }
            _ => {}
        }
    }
}
