//! The one thread that writes log events to the store and removes old ones.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lambd_store::{Batch, Durability, Range, Store, StoreError, Table, for_each};
use tokio::runtime::Handle;

use super::queue::{Message, Portion};
use super::segments::{Segment, Segments};
use super::{Cursor, LogError, Retention, keys, migrate};

/// How long events are gathered before they are written: one batch for many invocations.
const GATHER: Duration = Duration::from_millis(5);
/// How often old events are removed from groups that receive none.
const SWEEP: Duration = Duration::from_secs(600);

/// Writes events. Has a thread of its own, so that floods of events take no worker from requests.
pub(super) struct Writer {
    store: Arc<dyn Store>,
    /// The runtime on which the store works; this thread waits for it.
    runtime: Handle,
    retention: Retention,
    receiver: Receiver<Message>,
    groups: HashMap<Arc<str>, Segments>,
    last: Cursor,
    /// Whether the last batch failed: an outage is logged once, not for every batch.
    failing: bool,
}

/// What the writer does next.
enum Next {
    GoOn,
    Stop,
}

impl Writer {
    /// Reads what is stored. Logs of an older lambd, which had only one account, are assigned to `account`.
    pub(super) async fn load(
        store: Arc<dyn Store>,
        account: &str,
        retention: Retention,
        receiver: Receiver<Message>,
    ) -> Result<Self, LogError> {
        let mut groups = segments_of(&*store).await?;
        let old: Vec<_> = groups.keys().filter(|group| migrate::is_old(group)).cloned().collect();
        if !old.is_empty() {
            migrate::migrate(&*store, account, &old).await?;
            groups = segments_of(&*store).await?;
        }
        let mut last = Cursor::START;
        for (group, segments) in &mut groups {
            let all = Range::new(keys::behind(group, Cursor::START), keys::end(group));
            let rows = store.range(Table::Logs, &all.reverse().limit(1)).await?;
            segments.set_last(rows.first().and_then(|row| keys::position(&row.key)).unwrap_or_default());
            last = last.max(segments.last());
        }
        Ok(Self { store, runtime: Handle::current(), retention, receiver, groups, last, failing: false })
    }

    /// Writes until it is stopped.
    pub(super) fn run(mut self) {
        let mut sweep_at = Instant::now();
        loop {
            if sweep_at <= Instant::now() {
                self.sweep();
                sweep_at = Instant::now() + SWEEP;
            }
            match self.receiver.recv_timeout(sweep_at.saturating_duration_since(Instant::now())) {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(first) => {
                    thread::sleep(GATHER);
                    match self.write_waiting(first) {
                        Next::GoOn => {}
                        Next::Stop => return,
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Writes all waiting events; the limits of the queue keep them below the limit of a batch.
    fn write_waiting(&mut self, first: Message) -> Next {
        let (mut portions, mut flushes, mut then) = (Vec::new(), Vec::new(), Next::GoOn);
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Events(portion) => portions.push(portion),
                Message::Flush(done) => flushes.push(done),
                Message::Stop => {
                    then = Next::Stop;
                    break;
                }
            }
            next = self.receiver.try_recv().ok();
        }
        let mut batch = Batch::new();
        self.add_events(&mut batch, &portions);
        self.commit(batch);
        for done in flushes {
            // An error means that the reader does not wait any more.
            let _ = done.send(());
        }
        then
    }

    fn add_events(&mut self, batch: &mut Batch, portions: &[Portion]) {
        let now_ms = now_ms();
        let mut touched: HashMap<&Arc<str>, (Cursor, u64)> = HashMap::new();
        for portion in portions {
            for event in &portion.events {
                self.last = self.last.next(now_ms);
                let (_, bytes) = touched.entry(&portion.group).or_insert((self.last, 0));
                let value = keys::encode(&portion.stream, event);
                *bytes += value.len() as u64;
                batch.add_put(Table::Logs, keys::event(&portion.group, self.last), value);
            }
        }
        for (group, (first, bytes)) in touched {
            let segments = self.groups.entry(Arc::clone(group)).or_default();
            let segment = segments.add(first, self.last, bytes, &self.retention);
            let size = segment.bytes.to_be_bytes().to_vec();
            batch.add_put(Table::Logs, keys::segment(group, segment.start), size);
            remove_old(batch, group, segments, now_ms, &self.retention);
        }
    }

    fn sweep(&mut self) {
        let now_ms = now_ms();
        let mut batch = Batch::new();
        for (group, segments) in &mut self.groups {
            remove_old(&mut batch, group, segments, now_ms, &self.retention);
        }
        self.groups.retain(|_, segments| !segments.is_empty());
        self.commit(batch);
    }

    fn commit(&mut self, batch: Batch) {
        if batch.is_empty() {
            return;
        }
        match self.runtime.block_on(self.store.commit(batch, Durability::Buffered)) {
            Ok(_) => self.failing = false,
            Err(error) if !self.failing => {
                self.failing = true;
                tracing::error!(%error, "cannot write log events; they are lost");
            }
            Err(_) => {}
        }
    }
}

fn remove_old(batch: &mut Batch, group: &str, segments: &mut Segments, now_ms: u64, retention: &Retention) {
    while let Some((segment, next)) = segments.pop(now_ms, retention) {
        let end = match (next, keys::end(group)) {
            (Some(next), _) => keys::event(group, next),
            (None, Bound::Excluded(end) | Bound::Included(end)) => end,
            (None, Bound::Unbounded) => return,
        };
        batch.add_delete_range(Table::Logs, keys::event(group, Cursor::START), end);
        batch.add_delete(Table::Logs, keys::segment(group, segment.start));
    }
}

/// Reads the segments of every group.
async fn segments_of(store: &dyn Store) -> Result<HashMap<Arc<str>, Segments>, StoreError> {
    let mut groups: HashMap<Arc<str>, Segments> = HashMap::new();
    for_each::<StoreError>(store, Table::Logs, Range::prefix(keys::SEGMENTS), |row| {
        if let (Some((group, start)), Some(bytes)) = (keys::parse_segment(&row.key), row.value.first_chunk())
        {
            let segment = Segment { start, bytes: u64::from_be_bytes(*bytes) };
            groups.entry(group.into()).or_default().load(segment);
        }
        Ok(())
    })
    .await?;
    Ok(groups)
}

fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}
