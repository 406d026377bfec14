//! The functions' logs: the counterpart of CloudWatch Logs.
//!
//! Events are stored in the order in which they were accepted, for each log group, with the streams of a
//! group interleaved. One thread writes many events in a batch and does not wait for the disk, so that no
//! invocation does. A group that floods waits for its own share of the queue and uses nothing of the others';
//! the platform's own lines have a reserve. Old events are removed by age and by the size of the group.
//! Removing a function removes none of its events, as on AWS.

mod keys;
pub mod lines;
mod migrate;
mod queue;
mod segments;
mod writer;

pub use keys::Cursor;
pub use queue::{LogSink, LogStream};
pub use segments::Retention;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use lambd_model::FunctionId;
use lambd_store::{CommitError, Range, Row, Store, StoreError, Table};

/// Longest message in bytes; a longer one is cut [fact:log-event-size].
pub const MESSAGE_BYTES_MAX: usize = 262_144;

/// The key of a function's log group. Names of groups are scoped to an account and a region, as on AWS.
#[must_use]
pub fn group_key(function: &FunctionId, group: &str) -> String {
    format!("{}:{}:{group}", function.account, function.region)
}

/// An event to be written: one line, or one record of a structured log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// When it happened, milliseconds since 1970.
    pub time_ms: i64,
    /// The text, without the newline at its end.
    pub message: String,
}

/// An event that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// When it happened, milliseconds since 1970.
    pub time_ms: i64,
    /// The name of its stream.
    pub stream: String,
    /// The text, without the newline at its end.
    pub message: String,
}

/// Some events of a group in order, and the position after them.
#[derive(Debug, Clone)]
pub struct EventPage {
    /// The events; none at the end of the log.
    pub events: Vec<StoredEvent>,
    /// The position after these events; `--follow` continues from it.
    pub next: Cursor,
}

/// Why logs cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The store failed.
    #[error("cannot access the logs")]
    Store(#[from] StoreError),
    /// The logs of an older lambd could not be rewritten.
    #[error("cannot rewrite the logs of an older lambd")]
    Rewrite(#[from] CommitError),
    /// The writer's thread could not be started.
    #[error("cannot start the log writer")]
    Thread(#[source] io::Error),
}

/// The logs of a data directory.
#[derive(Debug)]
pub struct Logs {
    store: Arc<dyn Store>,
    sink: LogSink,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Logs {
    /// Starts the writer for [`Table::Logs`] of `store`, of which there must be only one. Logs of an older
    /// lambd, which had only one account, are assigned to `account`.
    ///
    /// # Errors
    /// A [`LogError`] if the stored logs cannot be read.
    pub async fn start(store: Arc<dyn Store>, account: &str, retention: Retention) -> Result<Self, LogError> {
        let (sink, receiver) = queue::new();
        let writer = writer::Writer::load(Arc::clone(&store), account, retention, receiver).await?;
        let thread = std::thread::Builder::new().name("log-writer".into());
        let writer = thread.spawn(move || writer.run()).map_err(LogError::Thread)?;
        Ok(Self { store, sink, writer: Mutex::new(Some(writer)) })
    }

    /// The sink to which events are given.
    #[must_use]
    pub const fn sink(&self) -> &LogSink {
        &self.sink
    }

    /// At most `limit` events of `group` after `from`; fewer if they are large.
    ///
    /// # Errors
    /// [`LogError::Store`].
    pub async fn read(&self, group: &str, from: Cursor, limit: usize) -> Result<EventPage, LogError> {
        let range = Range::new(keys::behind(group, from), keys::end(group)).limit(limit);
        let rows = self.store.range(Table::Logs, &range).await?;
        let next = rows.last().and_then(|row| keys::position(&row.key)).unwrap_or(from);
        let decode = |Row { key, value, .. }: Row| {
            let event = keys::decode(&value);
            if event.is_none() {
                tracing::warn!(group, position = ?keys::position(&key), "skipped an unreadable log event");
            }
            event
        };
        Ok(EventPage { events: rows.into_iter().filter_map(decode).collect(), next })
    }

    /// Writes all events so far and ends the writer; later events are lost. Blocks.
    pub fn stop(&self) {
        self.sink.stop();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err(_)) = writer.map(JoinHandle::join) {
            tracing::error!("the log writer panicked");
        }
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A sink whose events are not read while the other value lives, as with a writer that hangs.
#[cfg(test)]
pub(crate) fn unread() -> (LogSink, impl Sized) {
    queue::new()
}

#[cfg(test)]
mod tests;
