//! The way from many environments to the one writer, bounded in bytes.

use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{LogEvent, MESSAGE_BYTES_MAX, keys};

/// What one group may always have waiting, in bytes, whatever the others do: who logs little never waits for
/// who logs much.
const OWN_BYTES: usize = 32 << 10;
/// What all groups together may have waiting besides, in bytes.
const SHARED_BYTES: usize = 4 << 20;
/// How much of that one group may have, in bytes: what a flood costs its neighbours at most.
const GROUP_BYTES: usize = 512 << 10;
/// What may be waiting besides by [`LogStream::try_write`], in bytes.
const RESERVE_BYTES: usize = 2 << 20;
/// Events are queued in portions of about this size, in bytes: with an ordinary line more, one still fits into a
/// group's own place.
const PORTION_BYTES: usize = 16 << 10;
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
    _room: Room,
}

/// A place in the queue, given back on drop.
type Room = [Option<OwnedSemaphorePermit>; 2];

/// What one group may have waiting.
#[derive(Debug)]
struct Share {
    /// Of [`OWN_BYTES`].
    own: Arc<Semaphore>,
    /// Of [`GROUP_BYTES`] within [`SHARED_BYTES`].
    shared: Arc<Semaphore>,
}

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
    groups: Mutex<HashMap<Arc<str>, Weak<Share>>>,
}

/// Where one environment hands in its events. Cheap to clone.
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
    /// Opens a stream. Names are cut at 512 bytes.
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

    /// Waits until all that was handed in before can be read.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        self.shared.send(Message::Flush(done));
        // An error means that the writer has ended, having written all it will.
        let _ = written.await;
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
    /// As [`Self::write_pending`], for tests. Dropping the future loses the events that were not handed in yet.
    #[cfg(test)]
    pub async fn write(&self, mut events: Vec<LogEvent>) {
        self.write_pending(&mut events).await;
    }

    /// Hands in events in their order, portion by portion, and takes each off `pending` as it goes; waits while
    /// the group has too much waiting already, and so slows down whoever floods. Dropping the future
    /// loses nothing: what was not handed in is still there.
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

    /// Hands in events without waiting and empties `pending`: for the platform's own few lines around an
    /// invocation, which have room of their own. `false` if that is used up, and `pending` is as it was.
    #[must_use]
    pub fn try_write(&self, pending: &mut Vec<LogEvent>) -> bool {
        let bytes = pending.iter().map(cost).sum();
        let Ok(room) = Arc::clone(&self.shared.reserve).try_acquire_many_owned(permits(bytes)) else {
            return false;
        };
        self.send(std::mem::take(pending), [Some(room), None]);
        true
    }

    /// The group's own place if the events fit into it, or else one among all groups, whichever comes first.
    /// There the group's share is asked first, so that a flood waits for itself and not in the line of all.
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

/// What an event takes of the queue, in bytes.
pub(super) fn cost(event: &LogEvent) -> usize {
    event.message.len().min(MESSAGE_BYTES_MAX) + EVENT_BYTES
}

async fn acquire(semaphore: &Arc<Semaphore>, bytes: usize) -> Option<OwnedSemaphorePermit> {
    // Never closed.
    Arc::clone(semaphore).acquire_many_owned(permits(bytes)).await.ok()
}

/// Never more than a group has: a portion ends with the event that fills it, which alone may be large.
fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes.min(GROUP_BYTES)).unwrap_or(u32::MAX)
}
