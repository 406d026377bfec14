//! The due queue: entries that become due, are claimed, and are acknowledged or come back.

use crate::StoreError;
use crate::batch::limit;

/// The longest name of a queue, and the longest id of an entry, in bytes.
pub const NAME_BYTES_MAX: usize = 512;
/// The largest entry, in bytes. It is rewritten at each claim and release; what is large is the payload.
pub const ENTRY_BYTES_MAX: usize = 16 << 10;
/// The most entries that one claim gives.
pub const CLAIMS_MAX: usize = 1000;

/// An entry of a queue, in the hands of one claimer until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The queue.
    pub queue: String,
    /// Which entry of the queue.
    pub id: String,
    /// As enqueued or released, at most [`ENTRY_BYTES_MAX`] bytes. The payload is read on its own, with
    /// [`Store::payload`](crate::Store::payload).
    pub entry: Vec<u8>,
    /// Since when the entry could have been claimed, in milliseconds since 1970.
    pub due_ms: u64,
    /// How often the entry has been claimed since it was enqueued, this time included.
    pub claims: u32,
    /// What tells this claim from earlier and later ones of the same entry.
    pub token: u64,
}

/// What waits in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// Entries that a claim would give now, those included whose lease has ended.
    pub due: usize,
    /// Entries that are in the hands of a claimer.
    pub claimed: usize,
    /// Entries that are due later.
    pub later: usize,
    /// Since when the longest due entry could have been claimed, in milliseconds since 1970.
    pub oldest_due_ms: Option<u64>,
}

impl Depth {
    /// Counts one entry: when it is due, or its lease ends, and whether it is claimed.
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

/// Refuses a name of a queue or an id that cannot be stored, too long or with a NUL: for implementations.
/// `what` says which of them it is.
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
