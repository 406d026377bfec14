//! The way from many environments to the one writer, bounded in bytes.

use super::{LogEvent, MESSAGE_BYTES_MAX, keys};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, Sender},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// What all groups together may have waiting, in bytes.
const QUEUE_BYTES: usize = 4 << 20;
/// What one group may have waiting, in bytes: what a flood costs its neighbours at most.
const GROUP_BYTES: usize = 512 << 10;
/// What may be waiting besides by [`LogStream::try_write`], in bytes.
const RESERVE_BYTES: usize = 2 << 20;
/// Events are queued in portions of about this size, in bytes.
const PORTION_BYTES: usize = 64 << 10;
/// What an event costs besides its message, in bytes: its place in the queue, its key and its stream.
const EVENT_BYTES: usize = 128;
/// So many groups are remembered before those that nobody writes to are forgotten.
const GROUPS_KEPT: usize = 1024;

/// What the writer receives.
#[derive(Debug)]
pub(super) enum Message {
    Events(Portion),
    /// Answered when all that was sent before is in the store.
    Flush(oneshot::Sender<()>),
    Stop,
}

/// Some events of one stream. Dropping it makes room in the queue.
#[derive(Debug)]
pub(super) struct Portion {
    pub(super) group: Arc<str>,
    pub(super) stream: Arc<str>,
    pub(super) events: Vec<LogEvent>,
    _room: [Option<OwnedSemaphorePermit>; 2],
}

/// The queue has no room for an event that cannot wait; the event is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("log queue is full")]
pub struct QueueFull;

/// Where events are handed in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LogSink {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    sender: Sender<Message>,
    room: Arc<Semaphore>,
    reserve: Arc<Semaphore>,
    groups: Mutex<HashMap<Arc<str>, Weak<Semaphore>>>,
    lost: AtomicU64,
}

/// Where one environment hands in its events. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LogStream {
    shared: Arc<Shared>,
    room: Arc<Semaphore>,
    group: Arc<str>,
    stream: Arc<str>,
}

pub(super) fn new() -> (LogSink, Receiver<Message>) {
    let (sender, receiver) = mpsc::channel();
    let shared = Shared {
        sender,
        room: Arc::new(Semaphore::new(QUEUE_BYTES)),
        reserve: Arc::new(Semaphore::new(RESERVE_BYTES)),
        groups: Mutex::default(),
        lost: AtomicU64::new(0),
    };
    (LogSink { shared: Arc::new(shared) }, receiver)
}

impl LogSink {
    /// Opens a stream. Names are cut at 512 bytes.
    #[must_use]
    pub fn stream(&self, group: &str, stream: &str) -> LogStream {
        let group: Arc<str> = keys::clean(group).into();
        let mut groups = self.shared.groups.lock().unwrap_or_else(PoisonError::into_inner);
        if groups.len() > GROUPS_KEPT {
            groups.retain(|_, room| room.strong_count() > 0);
        }
        let room = groups.get(&group).and_then(Weak::upgrade).unwrap_or_else(|| {
            let room = Arc::new(Semaphore::new(GROUP_BYTES));
            groups.insert(Arc::clone(&group), Arc::downgrade(&room));
            room
        });
        LogStream { shared: Arc::clone(&self.shared), room, group, stream: keys::clean(stream).into() }
    }

    /// Waits until all that was handed in before can be read.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        self.shared.send(Message::Flush(done));
        // An error means that the writer has ended, having written all it will.
        let _ = written.await;
    }

    /// How many events were refused with [`QueueFull`] since the start.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    pub(super) fn stop(&self) {
        self.shared.send(Message::Stop);
    }
}

impl Shared {
    fn send(&self, message: Message) {
        // The writer has ended: the server stops, and so do the logs.
        let _ = self.sender.send(message);
    }
}

impl LogStream {
    /// Hands in events in their order; waits while the group has too much waiting already, and so slows
    /// down whoever floods. Dropping the future loses the events that were not handed in yet.
    pub async fn write(&self, mut events: Vec<LogEvent>) {
        self.write_pending(&mut events).await;
    }

    /// Hands in events in their order, portion by portion, and takes each off `pending` as it goes; waits as
    /// [`Self::write`] does. Dropping the future loses nothing: what was not handed in is still there.
    pub async fn write_pending(&self, pending: &mut Vec<LogEvent>) {
        while !pending.is_empty() {
            let (mut count, mut bytes) = (0, 0);
            while count < pending.len() && bytes < PORTION_BYTES {
                bytes += cost(&pending[count]);
                count += 1;
            }
            let room = self.room(bytes).await;
            let rest = pending.split_off(count);
            self.send(std::mem::replace(pending, rest), room);
        }
    }

    /// Hands in one event without waiting: for the platform's own few lines around an invocation. It has
    /// room of its own, so that a flood does not push them out.
    ///
    /// # Errors
    /// [`QueueFull`] if the writer is far behind.
    pub fn try_write(&self, event: LogEvent) -> Result<(), QueueFull> {
        let Ok(room) = Arc::clone(&self.shared.reserve).try_acquire_many_owned(permits(cost(&event))) else {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
            return Err(QueueFull);
        };
        self.send(vec![event], [Some(room), None]);
        Ok(())
    }

    /// First the group's own room, so that a flood waits there and not in the line of all.
    async fn room(&self, bytes: usize) -> [Option<OwnedSemaphorePermit>; 2] {
        let own = Arc::clone(&self.room).acquire_many_owned(permits(bytes)).await.ok();
        let all = Arc::clone(&self.shared.room).acquire_many_owned(permits(bytes)).await.ok();
        [own, all]
    }

    fn send(&self, events: Vec<LogEvent>, room: [Option<OwnedSemaphorePermit>; 2]) {
        let (group, stream) = (Arc::clone(&self.group), Arc::clone(&self.stream));
        self.shared.send(Message::Events(Portion { group, stream, events, _room: room }));
    }
}

/// What an event takes of the queue, in bytes.
pub(super) fn cost(event: &LogEvent) -> usize {
    event.message.len().min(MESSAGE_BYTES_MAX) + EVENT_BYTES
}

/// Never more than a group has: a portion ends with the event that fills it, which alone may be large.
fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes.min(GROUP_BYTES)).unwrap_or(u32::MAX)
}
