//! The due queue: the rows of the family `events`.
//!
//! - `d` queue NUL due id → nothing: the order in which entries are claimed. `due` is a big-endian number,
//!   milliseconds since 1970; for a claimed entry it is the end of the lease.
//! - `e` queue NUL id → the entry without its payload (the module `entry`)
//! - `p` queue NUL id → the payload

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use lambd_store::{Depth, Direction, RANGE_ROWS_MAX, StoreError};

use crate::database::Database;
use crate::entry::Entry;
use crate::family::EVENTS;

const DUE: u8 = b'd';
const ENTRY: u8 = b'e';
const PAYLOAD: u8 = b'p';
/// Most queues whose lowest key is remembered.
const LOWS_MAX: usize = 10_000;

fn prefix(kind: u8, queue: &str) -> Vec<u8> {
    [&[kind], queue.as_bytes(), &[0]].concat()
}

/// The first key after all that begin with [`prefix`].
fn prefix_end(kind: u8, queue: &str) -> Vec<u8> {
    [&[kind], queue.as_bytes(), &[1]].concat()
}

pub(crate) fn due_key(queue: &str, due_ms: u64, id: &str) -> Vec<u8> {
    [&prefix(DUE, queue), due_ms.to_be_bytes().as_slice(), id.as_bytes()].concat()
}

pub(crate) fn entry_key(queue: &str, id: &str) -> Vec<u8> {
    [&prefix(ENTRY, queue), id.as_bytes()].concat()
}

pub(crate) fn payload_key(queue: &str, id: &str) -> Vec<u8> {
    [&prefix(PAYLOAD, queue), id.as_bytes()].concat()
}

/// A lower bound for the keys in the order of each queue. Acknowledged entries leave tombstones at the start
/// of the order until RocksDB compacts them; a scan from the start would skip over all of them each time.
#[derive(Debug, Default)]
pub(crate) struct Lows(Mutex<HashMap<String, Vec<u8>>>);

impl Lows {
    fn get(&self, queue: &str) -> Vec<u8> {
        let lows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lows.get(queue).cloned().unwrap_or_else(|| prefix(DUE, queue))
    }

    /// Records that the queue has no key below `key`. For the committer only.
    pub(crate) fn raise(&self, queue: &str, key: Vec<u8>) {
        let mut lows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lows.len() >= LOWS_MAX && !lows.contains_key(queue) {
            lows.clear(); // the cost is one long scan per queue
        }
        lows.insert(queue.to_owned(), key);
    }

    /// Records a key that may have been written.
    pub(crate) fn lower(&self, queue: &str, key: Vec<u8>) {
        let mut lows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(low) = lows.get_mut(queue)
            && key < *low
        {
            *low = key;
        }
    }
}

/// An entry in the order of its queue.
#[derive(Debug)]
pub(crate) struct DueEntry {
    pub(crate) key: Vec<u8>,
    pub(crate) due_ms: u64,
    pub(crate) id: String,
}

impl DueEntry {
    fn parse(queue: &str, key: &[u8]) -> Result<Self, StoreError> {
        let parse = || {
            let (due_ms, id) = key.strip_prefix(prefix(DUE, queue).as_slice())?.split_first_chunk()?;
            let id = str::from_utf8(id).ok()?.to_owned();
            Some(Self { key: key.to_vec(), due_ms: u64::from_be_bytes(*due_ms), id })
        };
        parse().ok_or_else(|| StoreError::Damaged {
            detail: format!(
                "order of queue {queue:?} has an unreadable key {:?}",
                String::from_utf8_lossy(key)
            ),
        })
    }
}

/// The first key after all that are due at `now_ms`.
pub(crate) fn end_of_due(queue: &str, now_ms: u64) -> Vec<u8> {
    match now_ms.checked_add(1) {
        Some(next_ms) => due_key(queue, next_ms, ""),
        None => end(queue),
    }
}

/// The first key after the whole order of a queue.
pub(crate) fn end(queue: &str) -> Vec<u8> {
    prefix_end(DUE, queue)
}

/// The entries before `end`, in their order.
pub(crate) fn places<'a>(
    database: &'a Database,
    queue: &'a str,
    end: Vec<u8>,
) -> Result<impl Iterator<Item = Result<DueEntry, StoreError>> + 'a, StoreError> {
    let first = database.lows.get(queue);
    let rows = database.scan(EVENTS, Some(first), Some(end), Direction::Forward)?;
    Ok(rows.map(|row| row.and_then(|(key, _)| DueEntry::parse(queue, &key))))
}

pub(crate) fn entry(database: &Database, queue: &str, id: &str) -> Result<Option<Entry>, StoreError> {
    let key = entry_key(queue, id);
    database.pinned(EVENTS, &key)?.map(|stored| Entry::decode(&key, &stored)).transpose()
}

pub(crate) fn depth(database: &Database, queue: &str, now_ms: u64) -> Result<Depth, StoreError> {
    let (first, last) = (prefix(ENTRY, queue), prefix_end(ENTRY, queue));
    let rows = database.scan(EVENTS, Some(first), Some(last), Direction::Forward)?;
    let mut depth = Depth::default();
    for row in rows.take(RANGE_ROWS_MAX) {
        let (key, stored) = row?;
        let entry = Entry::decode(&key, &stored)?;
        depth.add(now_ms, entry.due_ms, entry.token != 0);
    }
    Ok(depth)
}

/// The names of queues after `after`: one seek for each queue, not one step for each entry.
pub(crate) fn queues(
    database: &Database,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    let mut first = after.map_or_else(|| vec![ENTRY], |after| prefix_end(ENTRY, after));
    while names.len() < limit {
        let mut rows = database.scan(EVENTS, Some(first), Some(vec![ENTRY + 1]), Direction::Forward)?;
        let Some(row) = rows.next() else { break };
        let (key, _) = row?;
        let name = key[1..].split(|byte| *byte == 0).next().unwrap_or_default();
        let name = String::from_utf8_lossy(name).into_owned();
        first = prefix_end(ENTRY, &name);
        names.push(name);
    }
    Ok(names)
}
