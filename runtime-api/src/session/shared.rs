//! [`Queue`] with a lock that is never held across an await, and the two ways of waiting for it. Polls are
//! woken one at a time, so an event wakes one connection only; a poll that is dropped after it was woken
//! passes the wake-up on. The server's waits are woken together.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::queue::{DeliverError, Given, Queue, Refusal};
use crate::http::metered::HeldBudget;
use crate::http::peer::Peer;
use crate::http::reply::Written;
use crate::{Event, Forbidden, InitError, Outcome, Transition};

#[derive(Debug, Default)]
pub(crate) struct SharedQueue {
    queue: Mutex<Queue>,
    /// Notified when the runtime has changed the state.
    moved: Notify,
    /// Notified when an event is offered.
    offered: Notify,
    budget: Arc<HeldBudget>,
}

impl SharedQueue {
    /// Poisoning is ignored: after a panic elsewhere the queue is consistent, because its methods call
    /// nothing that can unwind half-way.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The budget for what the environment's requests may make the server hold.
    pub(crate) const fn budget(&self) -> &Arc<HeldBudget> {
        &self.budget
    }

    /// Waits until `check` finds a value. Cancel-safe: nothing is taken before it is returned.
    pub(crate) async fn wait<T>(&self, check: impl Fn(&Queue) -> Option<T>) -> T {
        let mut moved = pin!(self.moved.notified());
        loop {
            // Registered before the check, so that a change in between is not missed.
            moved.as_mut().enable();
            let found = check(&self.lock());
            if let Some(found) = found {
                return found;
            }
            moved.as_mut().await;
            moved.set(self.moved.notified());
        }
    }

    pub(crate) fn deliver(&self, event: Event) -> Result<u64, DeliverError> {
        let number = self.lock().deliver(event)?;
        self.offered.notify_one();
        Ok(number)
    }

    /// `GET invocation/next`: waits for an event, without a limit. `None` when the client is gone.
    pub(crate) async fn next(
        self: &Arc<Self>,
        peer: &Peer,
    ) -> Result<Option<(Arc<Event>, Handover)>, Forbidden> {
        self.lock().next()?;
        let poll = Poll(self);
        self.moved.notify_waiters();
        let given = self.poll(peer).await;
        drop(poll);
        Ok(given.map(|Given { number, event }| {
            (event, Handover { shared: Arc::clone(self), number, written: false })
        }))
    }

    /// Waits for an event and takes it; if the client is gone, the event is left to another poll.
    async fn poll(&self, peer: &Peer) -> Option<Given> {
        loop {
            let offered = self.lock().is_offered();
            if offered {
                if !peer.is_there() {
                    self.offered.notify_one();
                    return None;
                }
                let taken = self.lock().take();
                if taken.is_some() {
                    return taken;
                }
            }
            // A wake-up between the check and this wait is kept for the next waiter, which is this poll.
            self.offered.notified().await;
        }
    }

    /// `POST response` begins.
    pub(crate) fn begin_response(
        &self,
        request_id: &str,
        invocation_id: Option<&[u8]>,
    ) -> Result<Posting<'_>, Refusal> {
        let mut queue = self.lock();
        queue.check(request_id, invocation_id)?;
        queue.apply(Transition::Response)?;
        drop(queue);
        Ok(Posting { shared: self, open: true })
    }

    /// Whether `POST error` is allowed now, before its body is read.
    pub(crate) fn check_error(&self, request_id: &str, invocation_id: Option<&[u8]>) -> Result<(), Refusal> {
        let queue = self.lock();
        queue.check(request_id, invocation_id)?;
        queue.state().on(Transition::Error)?;
        Ok(())
    }

    /// `POST error` is complete.
    pub(crate) fn post_error(
        &self,
        request_id: &str,
        invocation_id: Option<&[u8]>,
        outcome: Outcome,
    ) -> Result<(), Refusal> {
        let mut queue = self.lock();
        // Checked again, because another post may have come first while the body was arriving.
        queue.check(request_id, invocation_id)?;
        queue.apply(Transition::Error)?;
        queue.apply(Transition::Sent)?;
        queue.answer(outcome);
        drop(queue);
        self.moved.notify_waiters();
        Ok(())
    }

    /// `POST init/error` is complete.
    pub(crate) fn fail_init(&self, error: InitError) -> Result<(), Forbidden> {
        self.lock().fail_init(error)?;
        self.moved.notify_waiters();
        Ok(())
    }
}

/// Counts one waiting poll.
struct Poll<'a>(&'a SharedQueue);

impl Drop for Poll<'_> {
    fn drop(&mut self) {
        self.0.lock().poll_ended();
    }
}

/// An event between the queue and the connection; dropping it returns the event to the queue unless it was
/// written.
#[derive(Debug)]
pub(crate) struct Handover {
    shared: Arc<SharedQueue>,
    number: u64,
    written: bool,
}

impl Written for Handover {
    fn written(mut self) {
        self.written = true;
    }
}

impl Drop for Handover {
    fn drop(&mut self) {
        if self.written {
            return;
        }
        let offered = self.shared.lock().hand_back(self.number);
        if offered {
            self.shared.offered.notify_one();
        }
    }
}

/// A response whose body is arriving. If it is dropped before its end, as when the connection breaks, it
/// counts as truncated.
#[derive(Debug)]
pub(crate) struct Posting<'a> {
    shared: &'a SharedQueue,
    open: bool,
}

impl Posting<'_> {
    /// Ends the response with this outcome.
    pub(crate) fn finish(mut self, outcome: Outcome) {
        self.close(outcome);
    }

    /// Refuses an unknown response mode: the caller gets its outcome, the runtime's state stays.
    pub(crate) fn refuse_mode(mut self) {
        self.open = false;
        self.shared.lock().answer(Outcome::InvalidResponseMode);
        self.shared.moved.notify_waiters();
    }

    fn close(&mut self, outcome: Outcome) {
        self.open = false;
        let mut queue = self.shared.lock();
        // Only a `Posting` leaves this state, so the transition cannot fail.
        if queue.apply(Transition::Sent).is_ok() {
            queue.answer(outcome);
        }
        drop(queue);
        self.shared.moved.notify_waiters();
    }
}

impl Drop for Posting<'_> {
    fn drop(&mut self) {
        if self.open {
            self.close(Outcome::Truncated);
        }
    }
}
