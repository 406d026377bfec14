use super::{CommitError, StoreError, Table};

/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 4096;
/// The longest value, in bytes. The largest record is an asynchronous event of 1 MiB with its envelope.
pub const VALUE_BYTES_MAX: usize = 8 << 20;
/// The most that one batch holds, keys and values together, in bytes.
const BATCH_BYTES_MAX: usize = 32 << 20;

/// When a commit counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// On disk: survives power loss. Parallel commits share one flush.
    Synced,
    /// With the operating system: survives the death of this process, but not of the machine.
    Buffered,
}

/// What must be true of a key for its batch to be applied.
#[derive(Debug, Clone)]
pub(super) struct Expectation {
    pub(super) table: Table,
    pub(super) key: Vec<u8>,
    /// `None`: the key is absent.
    pub(super) value: Option<Vec<u8>>,
}

impl Expectation {
    /// Checks `found`, the present value of the key.
    pub(super) fn check(&self, found: Option<&[u8]>) -> Result<(), CommitError> {
        if found == self.value.as_deref() {
            return Ok(());
        }
        Err(CommitError::Conflict { table: self.table, key: self.key.clone() })
    }
}

/// One change.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Put {
        table: Table,
        key: Vec<u8>,
        value: Vec<u8>,
    },
    Delete {
        table: Table,
        key: Vec<u8>,
    },
    /// From `start`, included, to `end`, excluded.
    DeleteRange {
        table: Table,
        start: Vec<u8>,
        end: Vec<u8>,
    },
}

/// Changes that are applied together or not at all, in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub(super) expectations: Vec<Expectation>,
    pub(super) ops: Vec<Op>,
}

impl Batch {
    /// An empty batch.
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
        self.expectations.push(Expectation { table, key: key.into(), value: None });
        self
    }

    /// Applies the batch only if `key` still has exactly this value.
    #[must_use]
    pub fn expect(mut self, table: Table, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.expectations.push(Expectation { table, key: key.into(), value: Some(value.into()) });
        self
    }

    /// Sets `key` to `value`.
    #[must_use]
    pub fn put(mut self, table: Table, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.add_put(table, key.into(), value.into());
        self
    }

    /// Sets `key` to `value`; [`Batch::put`] for loops.
    pub fn add_put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.ops.push(Op::Put { table, key, value });
    }

    /// Removes `key`, if it is there.
    #[must_use]
    pub fn delete(mut self, table: Table, key: impl Into<Vec<u8>>) -> Self {
        self.add_delete(table, key.into());
        self
    }

    /// Removes `key`, if it is there; [`Batch::delete`] for loops.
    pub fn add_delete(&mut self, table: Table, key: Vec<u8>) {
        self.ops.push(Op::Delete { table, key });
    }

    /// Removes every key from `start`, included, to `end`, excluded.
    #[must_use]
    pub fn delete_range(mut self, table: Table, start: impl Into<Vec<u8>>, end: impl Into<Vec<u8>>) -> Self {
        self.add_delete_range(table, start.into(), end.into());
        self
    }

    /// Removes every key from `start` to `end`; [`Batch::delete_range`] for loops.
    pub fn add_delete_range(&mut self, table: Table, start: Vec<u8>, end: Vec<u8>) {
        self.ops.push(Op::DeleteRange { table, start, end });
    }

    /// Refuses what is larger than the store takes, and expectations where there can be none.
    pub(super) fn validate(&self) -> Result<(), StoreError> {
        let mut total = 0_usize;
        for expectation in &self.expectations {
            if !expectation.table.is_guarded() {
                return Err(StoreError::Unguarded { table: expectation.table });
            }
            limit("key", expectation.key.len(), KEY_BYTES_MAX)?;
        }
        for op in &self.ops {
            let (a, b) = match op {
                Op::Put { key, value, .. } => (key, value.as_slice()),
                Op::Delete { key, .. } => (key, [].as_slice()),
                Op::DeleteRange { start, end, .. } => (start, end.as_slice()),
            };
            limit("key", a.len(), KEY_BYTES_MAX)?;
            limit("value", b.len(), VALUE_BYTES_MAX)?;
            total = total.saturating_add(a.len()).saturating_add(b.len());
        }
        limit("batch", total, BATCH_BYTES_MAX)
    }
}

fn limit(what: &'static str, bytes: usize, limit_bytes: usize) -> Result<(), StoreError> {
    if bytes <= limit_bytes {
        return Ok(());
    }
    Err(StoreError::TooLarge { what, bytes, limit_bytes })
}
