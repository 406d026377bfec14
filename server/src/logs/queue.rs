//! The queue from many environments to the one writer, limited in bytes.

use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{LogEvent, MESSAGE_BYTES_MAX, keys};

/// Bytes that one group may always have in the queue, whatever the others do: a group that logs little never
/// waits for one that logs much.
const OWN_BYTES: usize = 32 << 10;
/// Bytes that all groups together may have in the queue in addition.
const SHARED_BYTES: usize = 4 << 20;
/// Bytes of these that one group may have: a flood costs the others at most so much.
const GROUP_BYTES: usize = 512 << 10;
/// Bytes that may be in the queue in addition by [`LogStream::try_write`].
const RESERVE_BYTES: usize = 2 << 20;
/// Size of the portions in which events are queued, bytes: a portion and one more ordinary line fit into the
/// own bytes of a group.
const PORTION_BYTES: usize = 16 << 10;
/// What an event costs in addition to its message, bytes: its place in the queue, its key and its stream.
const EVENT_BYTES: usize = 128;
/// Number of groups in the table above which unused ones are removed.
const GROUPS_KEPT: usize = 1024;

/// A message to the writer.
#[derive(Debug)]
pub(super) enum Message {
    Events(Portion),
    /// Answered when all that was sent before is in the store.
    Flush(oneshot::Sender<()>),
    Stop,
}

/// Some events of one stream. Dropping it frees their bytes in the queue.
#[derive(Debug)]
pub(super) struct Portion {
    pub(super) group: Arc<str>,
    pub(super) stream: Arc<str>,
    pub(super) events: Vec<LogEvent>,
    _room: Room,
}

/// Bytes of the queue; freed when dropped.
type Room = [Option<OwnedSemaphorePermit>; 2];

/// The bytes that one group may have in the queue.
#[derive(Debug)]
struct Share {
    /// The group's own bytes, [`OWN_BYTES`].
    own: Arc<Semaphore>,
    /// Its part of the shared bytes, [`GROUP_BYTES`] of [`SHARED_BYTES`].
    shared: Arc<Semaphore>,
}

/// Accepts events. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LogSink {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    sender: Sender<Message>,
    room: Arc<Semaphore>,
    reserve: Arc<Semaphore>,
    groups: Mutex<HashMap<Arc<str>, Weak<Share>>>,
}

/// Accepts the events of one environment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LogStream {
    shared: Arc<Shared>,
    share: Arc<Share>,
    group: Arc<str>,
    stream: Arc<str>,
}

pub(super) fn new() -> (LogSink, Receiver<Message>) {
    let (sender, receiver) = mpsc::channel();
    let shared = Shared {
        sender,
        room: Arc::new(Semaphore::new(SHARED_BYTES)),
        reserve: Arc::new(Semaphore::new(RESERVE_BYTES)),
        groups: Mutex::default(),
    };
    (LogSink { shared: Arc::new(shared) }, receiver)
}

impl LogSink {
    /// Opens a stream. Names are cut to 512 bytes.
    #[must_use]
    pub fn stream(&self, group: &str, stream: &str) -> LogStream {
        let group: Arc<str> = keys::clean(group).into();
        let mut groups = self.shared.groups.lock().unwrap_or_else(PoisonError::into_inner);
        if groups.len() > GROUPS_KEPT {
            groups.retain(|_, share| share.strong_count() > 0);
        }
        let share = groups.get(&group).and_then(Weak::upgrade).unwrap_or_else(|| {
            let [own, shared] = [OWN_BYTES, GROUP_BYTES].map(|bytes| Arc::new(Semaphore::new(bytes)));
            let share = Arc::new(Share { own, shared });
            groups.insert(Arc::clone(&group), Arc::downgrade(&share));
            share
        });
        LogStream { shared: Arc::clone(&self.shared), share, group, stream: keys::clean(stream).into() }
    }

    /// Waits until all events so far can be read.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        self.shared.send(Message::Flush(done));
        // An error means that the writer has ended and writes nothing more.
        let _ = written.await;
    }

    pub(super) fn stop(&self) {
        self.shared.send(Message::Stop);
    }
}

impl Shared {
    fn send(&self, message: Message) {
        // An error means that the writer has ended, because the server stops.
        let _ = self.sender.send(message);
    }
}

impl LogStream {
    /// As [`Self::write_pending`], for tests. Dropping the future loses events that were not accepted yet.
    #[cfg(test)]
    pub async fn write(&self, mut events: Vec<LogEvent>) {
        self.write_pending(&mut events).await;
    }

    /// Gives events to the queue in their order, portion by portion, and removes them from `pending`. Waits
    /// while the group has used up its bytes, which slows down a function that floods. If the future is
    /// dropped, nothing is lost: events that were not accepted are still in `pending`.
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

    /// Queues events without waiting and empties `pending`, for the platform's few lines around an
    /// invocation, which have a reserve. If that is used up, returns `false` and keeps `pending`.
    #[must_use]
    pub fn try_write(&self, pending: &mut Vec<LogEvent>) -> bool {
        let bytes = pending.iter().map(cost).sum();
        let Ok(room) = Arc::clone(&self.shared.reserve).try_acquire_many_owned(permits(bytes)) else {
            return false;
        };
        self.send(std::mem::take(pending), [Some(room), None]);
        true
    }

    /// The group's own bytes, if the events fit, or shared ones, whichever are free first. The group's part
    /// of the shared ones is taken first, so that a flood waits for itself and does not block others.
    async fn room(&self, bytes: usize) -> Room {
        let own = async {
            if bytes > OWN_BYTES {
                std::future::pending::<()>().await;
            }
            acquire(&self.share.own, bytes).await
        };
        let shared = async {
            let share = acquire(&self.share.shared, bytes).await;
            [share, acquire(&self.shared.room, bytes).await]
        };
        tokio::select! {
            biased;
            own = own => [own, None],
            shared = shared => shared,
        }
    }

    fn send(&self, events: Vec<LogEvent>, room: Room) {
        let (group, stream) = (Arc::clone(&self.group), Arc::clone(&self.stream));
        self.shared.send(Message::Events(Portion { group, stream, events, _room: room }));
    }
}

/// Bytes of the queue that an event uses.
pub(super) fn cost(event: &LogEvent) -> usize {
    event.message.len().min(MESSAGE_BYTES_MAX) + EVENT_BYTES
}

async fn acquire(semaphore: &Arc<Semaphore>, bytes: usize) -> Option<OwnedSemaphorePermit> {
    // The semaphores are never closed.
    Arc::clone(semaphore).acquire_many_owned(permits(bytes)).await.ok()
}

/// Never more than a group may have: the last event of a portion may be larger than that.
fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes.min(GROUP_BYTES)).unwrap_or(u32::MAX)
}
