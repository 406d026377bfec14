//! Batches: the changes of one step and the conditions under which they are made.

use std::collections::HashSet;

use crate::queue::check_name;
use crate::{Claim, CommitError, ENTRY_BYTES_MAX, RowVersion, StoreError, Table};

/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 4096;
/// The longest value or payload, in bytes. The largest is an asynchronous event of 1 MiB with its envelope.
pub const VALUE_BYTES_MAX: usize = 8 << 20;
/// The largest batch in bytes, keys and values together.
pub const BATCH_BYTES_MAX: usize = 32 << 20;

/// When a commit counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When it is on disk: it survives power loss. Parallel commits share one flush.
    Synced,
    /// When the operating system has it: it survives the death of this process, but not of the machine.
    Buffered,
}

/// A condition on a row: it must hold before the batch, otherwise the batch is not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// The table of the row.
    pub table: Table,
    /// Its key.
    pub key: Vec<u8>,
    /// Its version; `None` means that there is no such row.
    pub version: Option<RowVersion>,
}

impl Expectation {
    /// Compares with `found`, the current version of the row.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] if they differ.
    pub fn check(&self, found: Option<RowVersion>) -> Result<(), CommitError> {
        if found == self.version {
            return Ok(());
        }
        Err(CommitError::Conflict { table: self.table, key: self.key.clone() })
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Sets a row.
    Put {
        /// The table.
        table: Table,
        /// The key.
        key: Vec<u8>,
        /// The new value.
        value: Vec<u8>,
    },
    /// Removes a row, if it exists.
    Delete {
        /// The table.
        table: Table,
        /// The key.
        key: Vec<u8>,
    },
    /// Removes rows.
    DeleteRange {
        /// The table.
        table: Table,
        /// The first key that may be removed.
        start: Vec<u8>,
        /// The first key after the range, which is not removed.
        end: Vec<u8>,
    },
    /// Adds an entry to a queue. The queue must have no entry with this id.
    Enqueue {
        /// The queue.
        queue: String,
        /// The id.
        id: String,
        /// When it is due, in milliseconds since 1970.
        due_ms: u64,
        /// The small part, which each claim returns.
        entry: Vec<u8>,
        /// The large part, which is written once.
        payload: Vec<u8>,
    },
    /// Removes a claimed entry with its payload.
    Ack {
        /// The queue.
        queue: String,
        /// The id.
        id: String,
        /// Token of the claim.
        token: u64,
    },
    /// Returns a claimed entry to the queue.
    Release {
        /// The queue.
        queue: String,
        /// The id.
        id: String,
        /// Token of the claim.
        token: u64,
        /// When it is due again, in milliseconds since 1970.
        due_ms: u64,
        /// The new small part.
        entry: Vec<u8>,
    },
    /// Changes the end of a lease.
    Extend {
        /// The queue.
        queue: String,
        /// The id.
        id: String,
        /// Token of the claim.
        token: u64,
        /// The new end of the lease, in milliseconds since 1970.
        until_ms: u64,
    },
}

impl Op {
    /// Queue and id of the entry that is changed; `None` for a change of rows.
    #[must_use]
    pub fn entry(&self) -> Option<(&str, &str)> {
        match self {
            Self::Put { .. } | Self::Delete { .. } | Self::DeleteRange { .. } => None,
            Self::Enqueue { queue, id, .. }
            | Self::Ack { queue, id, .. }
            | Self::Release { queue, id, .. }
            | Self::Extend { queue, id, .. } => Some((queue, id)),
        }
    }

    /// Compares with `found`, the token of the current entry: 0 if it is not claimed, `None` if there is no
    /// such entry. Changes of rows are always possible.
    ///
    /// # Errors
    /// [`CommitError::Exists`] or [`CommitError::LeaseLost`].
    pub fn check(&self, found: Option<u64>) -> Result<(), CommitError> {
        let (queue, id) = match self.entry() {
            Some((queue, id)) => (queue.to_owned(), id.to_owned()),
            None => return Ok(()),
        };
        match self {
            Self::Ack { token, .. } | Self::Release { token, .. } | Self::Extend { token, .. }
                if found != Some(*token) =>
            {
                Err(CommitError::LeaseLost { queue, id })
            }
            Self::Enqueue { .. } if found.is_some() => Err(CommitError::Exists { queue, id }),
            _ => Ok(()),
        }
    }

    /// The size of the change in a batch, in bytes.
    fn bytes(&self) -> usize {
        match self {
            Self::Put { key, value, .. } => key.len().saturating_add(value.len()),
            Self::Delete { key, .. } => key.len(),
            Self::DeleteRange { start, end, .. } => start.len().saturating_add(end.len()),
            Self::Enqueue { entry, payload, .. } => entry.len().saturating_add(payload.len()),
            Self::Release { entry, .. } => entry.len(),
            Self::Ack { .. } | Self::Extend { .. } => 0,
        }
    }

    fn validate(&self) -> Result<(), StoreError> {
        if let Some((queue, id)) = self.entry() {
            check_name("queue name", queue)?;
            check_name("entry id", id)?;
        }
        match self {
            Self::Put { key, value, .. } => {
                limit("key", key.len(), KEY_BYTES_MAX)?;
                limit("value", value.len(), VALUE_BYTES_MAX)
            }
            Self::Delete { key, .. } => limit("key", key.len(), KEY_BYTES_MAX),
            Self::DeleteRange { start, end, .. } => {
                limit("key", start.len(), KEY_BYTES_MAX)?;
                limit("key", end.len(), KEY_BYTES_MAX)
            }
            Self::Enqueue { entry, payload, .. } => {
                limit("entry", entry.len(), ENTRY_BYTES_MAX)?;
                limit("payload", payload.len(), VALUE_BYTES_MAX)
            }
            Self::Release { entry, .. } => limit("entry", entry.len(), ENTRY_BYTES_MAX),
            Self::Ack { .. } | Self::Extend { .. } => Ok(()),
        }
    }
}

/// Changes that are applied together or not at all, in the order in which they were added. One batch may
/// change rows and queued entries, but each entry only once.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Conditions on the rows before the batch.
    pub expectations: Vec<Expectation>,
    /// The changes.
    pub ops: Vec<Op>,
}

impl Batch {
    /// Makes an empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the batch changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Applies the batch only if `key` does not exist.
    #[must_use]
    pub fn expect_absent(mut self, table: Table, key: impl Into<Vec<u8>>) -> Self {
        self.expectations.push(Expectation { table, key: key.into(), version: None });
        self
    }

    /// Applies the batch only if the row of `key` has this version.
    #[must_use]
    pub fn expect_version(mut self, table: Table, key: impl Into<Vec<u8>>, version: RowVersion) -> Self {
        self.expectations.push(Expectation { table, key: key.into(), version: Some(version) });
        self
    }

    /// Sets `key` to `value`.
    #[must_use]
    pub fn put(mut self, table: Table, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.add_put(table, key.into(), value.into());
        self
    }

    /// Sets `key` to `value`: [`Batch::put`] for loops.
    pub fn add_put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.ops.push(Op::Put { table, key, value });
    }

    /// Removes `key`, if it exists.
    #[must_use]
    pub fn delete(mut self, table: Table, key: impl Into<Vec<u8>>) -> Self {
        self.add_delete(table, key.into());
        self
    }

    /// Removes `key`, if it exists: [`Batch::delete`] for loops.
    pub fn add_delete(&mut self, table: Table, key: Vec<u8>) {
        self.ops.push(Op::Delete { table, key });
    }

    /// Removes every key from `start` (included) to `end` (excluded). In a versioned table these may be at
    /// most [`RANGE_ROWS_MAX`](crate::RANGE_ROWS_MAX).
    #[must_use]
    pub fn delete_range(mut self, table: Table, start: impl Into<Vec<u8>>, end: impl Into<Vec<u8>>) -> Self {
        self.add_delete_range(table, start.into(), end.into());
        self
    }

    /// Removes every key from `start` to `end`: [`Batch::delete_range`] for loops.
    pub fn add_delete_range(&mut self, table: Table, start: Vec<u8>, end: Vec<u8>) {
        self.ops.push(Op::DeleteRange { table, start, end });
    }

    /// Adds an entry to `queue`, due at `due_ms`. If the queue has an entry with this id, the commit fails
    /// with [`CommitError::Exists`], so an enqueue may be tried again when its outcome is unknown. `entry` is
    /// small, each claim returns it, and [`Batch::release`] may change it; `payload` is written once and read
    /// separately.
    #[must_use]
    pub fn enqueue(
        mut self,
        queue: impl Into<String>,
        id: impl Into<String>,
        due_ms: u64,
        entry: impl Into<Vec<u8>>,
        payload: impl Into<Vec<u8>>,
    ) -> Self {
        let (queue, id, entry, payload) = (queue.into(), id.into(), entry.into(), payload.into());
        self.ops.push(Op::Enqueue { queue, id, due_ms, entry, payload });
        self
    }

    /// Removes a claimed entry with its payload. If another has claimed it since, or it no longer exists, the
    /// commit fails with [`CommitError::LeaseLost`]; a lease that has only ended does not matter. After a
    /// power loss, entries that a [`Durability::Buffered`] commit removed may exist again.
    #[must_use]
    pub fn ack(mut self, claim: &Claim) -> Self {
        self.ops.push(Op::Ack { queue: claim.queue.clone(), id: claim.id.clone(), token: claim.token });
        self
    }

    /// Returns a claimed entry with a new small part to the queue, to be due at `due_ms`. The payload is not
    /// written again. Fails like [`Batch::ack`].
    #[must_use]
    pub fn release(mut self, claim: &Claim, due_ms: u64, entry: impl Into<Vec<u8>>) -> Self {
        let (queue, id) = (claim.queue.clone(), claim.id.clone());
        self.ops.push(Op::Release { queue, id, token: claim.token, due_ms, entry: entry.into() });
        self
    }

    /// Changes the end of the lease to `until_ms`; the claim stays the same. Fails like [`Batch::ack`].
    #[must_use]
    pub fn extend(mut self, claim: &Claim, until_ms: u64) -> Self {
        let (queue, id) = (claim.queue.clone(), claim.id.clone());
        self.ops.push(Op::Extend { queue, id, token: claim.token, until_ms });
        self
    }

    /// The size of the batch in bytes, keys and values together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.ops.iter().fold(0, |bytes, op| bytes.saturating_add(op.bytes()))
    }

    /// Refuses what no store accepts. Implementations call it first.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`], [`StoreError::Unversioned`] or [`StoreError::Invalid`].
    pub fn validate(&self) -> Result<(), StoreError> {
        for expectation in &self.expectations {
            if !expectation.table.is_versioned() {
                return Err(StoreError::Unversioned { table: expectation.table });
            }
            limit("key", expectation.key.len(), KEY_BYTES_MAX)?;
        }
        let mut entries = HashSet::new();
        for op in &self.ops {
            op.validate()?;
            if let Some((queue, id)) = op.entry()
                && !entries.insert((queue, id))
            {
                let detail = format!("entry {id:?} of queue {queue:?} is changed twice by one batch");
                return Err(StoreError::Invalid { detail });
            }
        }
        limit("batch", self.bytes(), BATCH_BYTES_MAX)
    }
}

pub(crate) fn limit(what: &'static str, bytes: usize, limit_bytes: usize) -> Result<(), StoreError> {
    if bytes <= limit_bytes {
        return Ok(());
    }
    Err(StoreError::TooLarge { what, bytes, limit_bytes })
}
