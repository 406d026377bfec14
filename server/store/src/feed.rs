//! The feed of changes: every commit is told to who listens.

use std::sync::Arc;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender};

use crate::{RowVersion, StoreError, Table};

/// How many changes a feed holds for a subscriber who does not take them.
pub const FEED_CHANGES_MAX: usize = 1024;

/// What a subscriber is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A row was written or removed. Told when the commit is as durable as it asked to be; changes of one
    /// row come in the order of their commits.
    Row {
        /// The key of the row.
        key: Arc<[u8]>,
        /// What it has now; `None`: it is gone.
        version: Option<RowVersion>,
    },
    /// Changes have been missed: the subscriber was too slow, or the connection was lost. Read everything
    /// again, then go on with the feed.
    Resync,
}

/// The changes of one table since [`Store::watch`](crate::Store::watch).
#[derive(Debug)]
pub struct Feed {
    receiver: Receiver<Change>,
}

impl Feed {
    /// The next change, as soon as there is one; `None` when the store is closed. May be dropped before
    /// its end without losing a change.
    pub async fn next(&mut self) -> Option<Change> {
        match self.receiver.recv().await {
            Ok(change) => Some(change),
            Err(RecvError::Lagged(_)) => Some(Change::Resync),
            Err(RecvError::Closed) => None,
        }
    }
}

/// Tells the subscribers of a store: for implementations. Holds at most [`FEED_CHANGES_MAX`] changes per
/// table, however many subscribers there are.
#[derive(Debug)]
pub struct Hub {
    senders: [Sender<Change>; Table::ALL.len()],
}

impl Default for Hub {
    fn default() -> Self {
        Self { senders: Table::ALL.map(|_| Sender::new(FEED_CHANGES_MAX)) }
    }
}

impl Hub {
    /// The changes that are published from now on.
    ///
    /// # Errors
    /// [`StoreError::Unversioned`].
    pub fn watch(&self, table: Table) -> Result<Feed, StoreError> {
        if !table.is_versioned() {
            return Err(StoreError::Unversioned { table });
        }
        Ok(Feed { receiver: self.senders[table as usize].subscribe() })
    }

    /// Tells of a row that was written, or removed.
    pub fn publish(&self, table: Table, key: &[u8], version: Option<RowVersion>) {
        let sender = &self.senders[table as usize];
        if sender.receiver_count() > 0 {
            // Fails if the last subscriber has just gone.
            let _ = sender.send(Change::Row { key: key.into(), version });
        }
    }
}
