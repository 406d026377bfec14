//! The due queue: entries become due, are claimed, and are acknowledged or claimed again.

use crate::StoreError;
use crate::batch::limit;

/// The longest name of a queue, and the longest id of an entry, in bytes.
pub const NAME_BYTES_MAX: usize = 512;
/// The largest entry, in bytes. Each claim and release rewrites it; large data belongs in the payload.
pub const ENTRY_BYTES_MAX: usize = 16 << 10;
/// The most entries that one claim returns.
pub const CLAIMS_MAX: usize = 1000;

/// An entry of a queue that one claimer has until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The queue.
    pub queue: String,
    /// Id of the entry in the queue.
    pub id: String,
    /// The small part as enqueued or released, at most [`ENTRY_BYTES_MAX`] bytes.
    /// [`Store::payload`](crate::Store::payload) reads the payload.
    pub entry: Vec<u8>,
    /// Since when the entry could be claimed, in milliseconds since 1970.
    pub due_ms: u64,
    /// How often the entry has been claimed since it was enqueued, this claim included.
    pub claims: u32,
    /// Distinguishes this claim from earlier and later ones of the same entry.
    pub token: u64,
}

/// Numbers of entries in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// Entries that can be claimed now, with those whose lease has ended.
    pub due: usize,
    /// Entries that are claimed.
    pub claimed: usize,
    /// Entries that are due later.
    pub later: usize,
    /// Since when the first due entry could be claimed, in milliseconds since 1970.
    pub oldest_due_ms: Option<u64>,
}

impl Depth {
    /// Counts an entry that is due, or whose lease ends, at `due_ms`.
    pub fn add(&mut self, now_ms: u64, due_ms: u64, is_claimed: bool) {
        if due_ms <= now_ms {
            self.due += 1;
            self.oldest_due_ms = Some(self.oldest_due_ms.map_or(due_ms, |oldest| oldest.min(due_ms)));
        } else if is_claimed {
            self.claimed += 1;
        } else {
            self.later += 1;
        }
    }
}

/// Refuses a queue name or entry id that cannot be stored, because it is too long or has a NUL; for
/// implementations. `what` names it in the error.
///
/// # Errors
/// [`StoreError::TooLarge`] or [`StoreError::Invalid`].
pub fn check_name(what: &'static str, name: &str) -> Result<(), StoreError> {
    limit(what, name.len(), NAME_BYTES_MAX)?;
    if name.contains('\0') {
        return Err(StoreError::Invalid { detail: format!("{what} {name:?} has a NUL in it") });
    }
    Ok(())
}
