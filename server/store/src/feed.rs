//! The feed of changes: subscribers get every change of a table.

use std::sync::Arc;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender};

use crate::{RowVersion, StoreError, Table};

/// How many changes a feed keeps for a subscriber that does not take them.
pub const FEED_CHANGES_MAX: usize = 1024;

/// What a subscriber gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A row was written or removed. It is sent when the commit is as durable as requested; changes of one
    /// row come in the order of their commits.
    Row {
        /// The key of the row.
        key: Arc<[u8]>,
        /// The new version; `None` if the row was removed.
        version: Option<RowVersion>,
    },
    /// Changes were lost, because the subscriber was too slow or the connection was lost. Read everything
    /// again, then continue with the feed.
    Resync,
}

/// The changes of one table since [`Store::watch`](crate::Store::watch).
#[derive(Debug)]
pub struct Feed {
    receiver: Receiver<Change>,
}

impl Feed {
    /// Waits for the next change; `None` when the store is closed. The future may be dropped before its end,
    /// and no change is lost.
    pub async fn next(&mut self) -> Option<Change> {
        match self.receiver.recv().await {
            Ok(change) => Some(change),
            Err(RecvError::Lagged(_)) => Some(Change::Resync),
            Err(RecvError::Closed) => None,
        }
    }
}

/// Sends changes to the subscribers of a store; for implementations. It keeps at most [`FEED_CHANGES_MAX`]
/// changes per table, however many subscribers there are.
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

    /// Publishes the change of a row; `None` means that it was removed.
    pub fn publish(&self, table: Table, key: &[u8], version: Option<RowVersion>) {
        let sender = &self.senders[table as usize];
        if sender.receiver_count() > 0 {
            // Fails if there is no subscriber any more.
            let _ = sender.send(Change::Row { key: key.into(), version });
        }
    }
}
