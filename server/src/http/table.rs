//! All connections, and which of them is closed when there are too many.
//!
//! The caller of a connection is a stranger until one of its requests has been authenticated (see
//! [`Caller`]). The seats of strangers are limited, together and for one address. When they are used up, the
//! idlest stranger loses its seat, not the new one: whoever only keeps connections open cannot keep others
//! out. A stranger that is new is not closed, so that a burst of real callers, who authenticate at once, is
//! served completely.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use super::serve::ConnectionLimits;

/// How long a stranger is not closed, after it has connected and after each step of a request.
const GRACE: Duration = Duration::from_secs(1);
/// How often a waiting connection looks for one that has become idle.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What is known about one connection. The gateway uses it to say that the caller is authenticated.
#[derive(Debug)]
pub(super) struct Activity {
    born: Instant,
    is_known: AtomicBool,
    in_flight: AtomicU32,
    /// Number of requests that have begun.
    requests: AtomicU64,
    /// When a request began or ended most recently, milliseconds after `born`.
    last_ms: AtomicU64,
}

/// The caller of a connection: an extension of each of its requests.
#[derive(Clone, Debug)]
pub struct Caller {
    activity: Arc<Activity>,
    /// The address from which the connection comes.
    pub address: IpAddr,
}

impl Caller {
    pub(super) fn of(activity: &Arc<Activity>, address: IpAddr) -> Self {
        Self { activity: Arc::clone(activity), address }
    }

    /// The caller is authenticated: the connection may be idle for longer, and is no stranger's any more.
    pub fn set_known(&self) {
        self.activity.is_known.store(true, Ordering::Relaxed);
    }
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            born: Instant::now(),
            is_known: AtomicBool::new(false),
            in_flight: AtomicU32::new(0),
            requests: AtomicU64::new(0),
            last_ms: AtomicU64::new(0),
        }
    }

    pub(super) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.touch();
    }

    pub(super) fn end(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.touch();
    }

    fn touch(&self) {
        let now_ms = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(now_ms, Ordering::Relaxed);
    }

    pub(super) fn had_requests(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0
    }

    fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Relaxed)
    }

    fn is_busy(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) > 0
    }

    fn last(&self) -> Instant {
        self.born + Duration::from_millis(self.last_ms.load(Ordering::Relaxed))
    }

    /// When the connection will have been idle for too long, if nothing happens before. Refused requests do
    /// not give a stranger more time.
    pub(super) fn deadline(&self, limits: &ConnectionLimits) -> Instant {
        let timeout = if self.is_known() { limits.idle } else { limits.first_request };
        match (self.is_busy(), self.is_known()) {
            (true, _) => Instant::now() + timeout,
            (false, true) => self.last() + timeout,
            (false, false) => self.born + timeout,
        }
    }
}

/// All connections of a listener. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct ConnectionTable(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: ConnectionLimits,
    seats: Mutex<Seats>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Seats {
    serial: u64,
    strangers: HashMap<u64, Entry>,
    known: HashMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    peer: IpAddr,
    activity: Arc<Activity>,
    task: Option<AbortHandle>,
}

/// A seat in the table; free again when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    table: ConnectionTable,
    number: u64,
}

/// Why a connection was closed, or has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crowd {
    /// Its address has too many strangers.
    Peer,
    /// There are too many strangers.
    Strangers,
    /// There are too many connections.
    House,
}

impl ConnectionTable {
    pub(super) fn new(limits: ConnectionLimits) -> Self {
        Self(Arc::new(Shared { limits, seats: Mutex::default(), freed: Notify::new() }))
    }

    pub(super) fn limits(&self) -> &ConnectionLimits {
        &self.0.limits
    }

    /// A seat for a connection from this address, when there is one. Reports each limit that is reached.
    pub(super) async fn seat(
        &self,
        peer: IpAddr,
        activity: &Arc<Activity>,
        mut tell: impl FnMut(Crowd),
    ) -> Seat {
        loop {
            let freed = self.0.freed.notified();
            if let Some(seat) = self.try_seat(peer, activity, &mut tell) {
                return seat;
            }
            // There is no notification when a connection becomes idle.
            let _ = timeout(LOOK_AGAIN, freed).await;
        }
    }

    fn try_seat(&self, peer: IpAddr, activity: &Arc<Activity>, tell: &mut impl FnMut(Crowd)) -> Option<Seat> {
        let limits = &self.0.limits;
        let mut seats = self.seats();
        let mut crowd = seats.crowd(peer, limits);
        // Closes as many as are too many: those that were new may have exceeded the limit for a moment.
        while let Some(strangers) = crowd.filter(|crowd| *crowd != Crowd::House)
            && seats.evict(strangers, peer)
        {
            tell(strangers);
            crowd = seats.crowd(peer, limits);
        }
        if seats.is_full(limits) {
            tell(crowd.unwrap_or(Crowd::House));
            // If strangers are too many, no authenticated caller is closed: the new one waits.
            if crowd != Some(Crowd::House) || !seats.evict(Crowd::House, peer) {
                return None;
            }
        }
        seats.serial += 1;
        let number = seats.serial;
        seats.strangers.insert(number, Entry { peer, activity: Arc::clone(activity), task: None });
        drop(seats);
        Some(Seat { table: self.clone(), number })
    }

    /// Closes the idlest connection, strangers first; returns false if all are busy.
    pub(super) fn evict_idlest(&self) -> bool {
        self.seats().evict(Crowd::House, IpAddr::from([0; 4]))
    }

    /// The task that serves the connection with this number; it is aborted when the seat is needed.
    pub(super) fn serves(&self, number: u64, task: AbortHandle) {
        let mut seats = self.seats();
        let Seats { strangers, known, .. } = &mut *seats;
        match strangers.get_mut(&number).or_else(|| known.get_mut(&number)) {
            Some(entry) => entry.task = Some(task),
            None => task.abort(), // its seat was taken before it began
        }
    }

    /// The methods of [`Seats`] do not panic half-way.
    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.0.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seats {
    /// The limit that one more connection from this address would exceed.
    fn crowd(&mut self, peer: IpAddr, limits: &ConnectionLimits) -> Option<Crowd> {
        // Callers are authenticated without telling the table; it checks only when the number matters.
        if self.strangers.len() >= limits.strangers_per_peer_max {
            let known = self.strangers.extract_if(|_, entry| entry.activity.is_known());
            self.known.extend(known);
        }
        let of_peer = || self.strangers.values().filter(|entry| entry.peer == peer).count();
        let per_peer = limits.strangers_per_peer_max;
        if self.strangers.len() >= per_peer && of_peer() >= per_peer {
            Some(Crowd::Peer)
        } else if self.strangers.len() >= limits.strangers_max {
            Some(Crowd::Strangers)
        } else {
            self.is_full(limits).then_some(Crowd::House)
        }
    }

    fn is_full(&self, limits: &ConnectionLimits) -> bool {
        self.strangers.len() + self.known.len() >= limits.connections_max
    }

    /// Closes one connection if possible. Of strangers it takes one from the address with most of them, so
    /// that many connections from one address do not displace a single one from another; and none that is
    /// new. For the limit of all connections it closes only idle ones.
    fn evict(&mut self, crowd: Crowd, peer: IpAddr) -> bool {
        let from = if crowd == Crowd::Peer { Some(peer) } else { self.busiest_peer() };
        let now = Instant::now();
        let is_old = |entry: &Entry| entry.activity.is_known() || entry.activity.last() + GRACE <= now;
        let old = || self.strangers.iter().filter(|(_, entry)| is_old(entry));
        let busiest = || old().filter(|(_, entry)| Some(entry.peer) == from);
        let number = match crowd {
            Crowd::Peer => idlest(busiest(), true),
            Crowd::Strangers => idlest(busiest(), true).or_else(|| idlest(old(), true)),
            Crowd::House => idlest(busiest(), false)
                .or_else(|| idlest(old(), false))
                .or_else(|| idlest(self.known.iter(), false)),
        };
        let gone =
            number.and_then(|number| self.strangers.remove(&number).or_else(|| self.known.remove(&number)));
        if let Some(task) = gone.as_ref().and_then(|entry| entry.task.as_ref()) {
            task.abort();
        }
        gone.is_some()
    }

    fn busiest_peer(&self) -> Option<IpAddr> {
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        self.strangers.values().for_each(|entry| *counts.entry(entry.peer).or_default() += 1);
        counts.into_iter().max_by_key(|(_, count)| *count).map(|(peer, _)| peer)
    }
}

/// The connection that was idle for longest; busy ones only if `busy_too`, and after all others.
fn idlest<'a>(entries: impl Iterator<Item = (&'a u64, &'a Entry)>, busy_too: bool) -> Option<u64> {
    let candidates = entries.filter(|(_, entry)| busy_too || !entry.activity.is_busy());
    let idlest = candidates.min_by_key(|(_, entry)| (entry.activity.is_busy(), entry.activity.last()));
    idlest.map(|(number, _)| *number)
}

impl Seat {
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.table.seats();
        let Seats { strangers, known, .. } = &mut *seats;
        let _ = strangers.remove(&self.number).or_else(|| known.remove(&self.number));
        drop(seats);
        self.table.0.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
