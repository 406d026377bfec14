//! Memory that request bodies share: taken when their bytes arrive, returned when the last copy is dropped.
//!
//! A body that finds no memory waits in a queue. The queue can stop: bodies that are half received may all
//! wait for each other, or for senders that take their time. So after [`BLOCKED_TIMEOUT`] a waiter evicts the
//! slowest bodies, which may include its own, until it has what it needs: senders that make progress succeed,
//! those that only occupy memory do not.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout};

/// How long a waiter waits before it evicts the slowest bodies.
const BLOCKED_TIMEOUT: Duration = Duration::from_secs(1);

/// The bytes of all bodies. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    free: AtomicUsize,
    /// Length of the queue, which can be read without the lock.
    waiting: AtomicUsize,
    crowd: Mutex<Crowd>,
}

#[derive(Debug, Default)]
struct Crowd {
    serial: u64,
    line: VecDeque<Waiter>,
    arriving: BTreeMap<u64, Arc<Progress>>,
}

#[derive(Debug)]
struct Waiter {
    bytes: usize,
    grant: oneshot::Sender<Share>,
}

/// The progress of a body.
#[derive(Debug)]
struct Progress {
    since: Instant,
    bytes: AtomicUsize,
    evict: Notify,
}

impl Progress {
    /// Milliseconds for each KiB: a larger number is slower.
    fn slowness(&self) -> u128 {
        self.since.elapsed().as_millis() * 1024 / (self.bytes.load(Ordering::Relaxed) as u128 + 1)
    }
}

/// Bytes taken from the budget; returned when dropped.
#[derive(Debug)]
pub(super) struct Share {
    of: Arc<Shared>,
    bytes: usize,
}

/// A body while it is being received; others may evict it.
#[derive(Debug)]
pub(super) struct Arrival {
    of: Arc<Shared>,
    number: u64,
    progress: Arc<Progress>,
}

/// There is not enough memory, or the body was evicted for others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Crowded;

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        let (free, waiting) = (AtomicUsize::new(bytes), AtomicUsize::new(0));
        Self(Arc::new(Shared { free, waiting, crowd: Mutex::default() }))
    }

    /// An empty share, for a body whose bytes will be added.
    pub(super) fn share(&self) -> Share {
        Share { of: Arc::clone(&self.0), bytes: 0 }
    }

    /// Registers a body that does not arrive in one piece.
    pub(super) fn arrival(&self) -> Arrival {
        let progress = Progress { since: Instant::now(), bytes: AtomicUsize::new(0), evict: Notify::new() };
        let progress = Arc::new(progress);
        let mut crowd = self.0.crowd();
        crowd.serial += 1;
        let number = crowd.serial;
        crowd.arriving.insert(number, Arc::clone(&progress));
        drop(crowd);
        Arrival { of: Arc::clone(&self.0), number, progress }
    }

    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.0.free.load(Ordering::SeqCst)
    }
}

impl Shared {
    /// The methods of [`Crowd`] do not panic half-way.
    fn crowd(&self) -> MutexGuard<'_, Crowd> {
        self.crowd.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, bytes: usize) -> bool {
        let rest = |free: usize| free.checked_sub(bytes);
        self.free.fetch_update(Ordering::SeqCst, Ordering::SeqCst, rest).is_ok()
    }

    /// Serves the queue as long as there are enough free bytes. A share whose waiter has left is dropped
    /// outside the lock, because it takes the lock.
    fn serve(self: &Arc<Self>) {
        loop {
            let mut crowd = self.crowd();
            let Some(first) = crowd.line.front() else { return };
            let gone = first.grant.is_closed();
            if !gone && !self.take(first.bytes) {
                return;
            }
            let Some(Waiter { bytes, grant }) = crowd.line.pop_front() else { return };
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            drop(crowd);
            if !gone {
                let _ = grant.send(Share { of: Arc::clone(self), bytes });
            }
        }
    }

    /// Evicts the slowest bodies that are being received, until this many bytes are free.
    fn evict_slowest(&self, bytes: usize) {
        let mut arriving: Vec<_> = self.crowd().arriving.values().map(Arc::clone).collect();
        arriving.sort_by_key(|progress| std::cmp::Reverse(progress.slowness()));
        let mut had = self.free.load(Ordering::SeqCst);
        for slow in arriving {
            if had >= bytes {
                return;
            }
            had += slow.bytes.load(Ordering::Relaxed);
            slow.evict.notify_one();
        }
    }
}

impl Share {
    /// Takes this many bytes more, and waits for them at most `limit`.
    ///
    /// # Errors
    /// [`Crowded`] if they were not free in time.
    pub(super) async fn grow(&mut self, bytes: usize, limit: Duration) -> Result<(), Crowded> {
        let of = Arc::clone(&self.of);
        if of.waiting.load(Ordering::SeqCst) == 0 && of.take(bytes) {
            self.bytes += bytes;
            return Ok(());
        }
        let (grant, mut granted) = oneshot::channel();
        of.waiting.fetch_add(1, Ordering::SeqCst);
        of.crowd().line.push_back(Waiter { bytes, grant });
        of.serve();
        let end = Instant::now() + limit;
        loop {
            match timeout(BLOCKED_TIMEOUT, &mut granted).await {
                Ok(Ok(mut more)) => {
                    self.bytes += std::mem::take(&mut more.bytes);
                    return Ok(());
                }
                Ok(Err(_)) => return Err(Crowded),
                Err(_) if Instant::now() >= end => return Err(Crowded),
                Err(_) => of.evict_slowest(bytes),
            }
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.free.fetch_add(self.bytes, Ordering::SeqCst);
        // Also for an empty share: its body may have waited at the front of the queue for more than there is,
        // and the next one may need less.
        if self.of.waiting.load(Ordering::SeqCst) > 0 {
            self.of.serve();
        }
    }
}

impl Arrival {
    /// Says that this many bytes have arrived so far.
    pub(super) fn has(&self, bytes: usize) {
        self.progress.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Completes when the body is evicted.
    pub(super) async fn evicted(&self) -> Crowded {
        self.progress.evict.notified().await;
        Crowded
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.of.crowd().arriving.remove(&self.number);
    }
}

#[cfg(test)]
mod tests;
