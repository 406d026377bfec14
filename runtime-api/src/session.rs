//! The server's end of one environment's Runtime API.

mod queue;
pub(crate) mod shared;

use std::sync::Arc;

use tokio::sync::watch;

pub use self::queue::DeliverError;
pub(crate) use self::queue::Refusal;
pub(crate) use self::shared::{Handover, SharedQueue};
use crate::{Event, Outcome, Ready, RuntimeState};

/// The server's end of one environment: at most one invocation at a time.
///
/// The HTTP service ends when the session and its [`Delivery`] are gone.
#[derive(Debug)]
pub struct Session {
    handle: Arc<Handle>,
}

/// Keeps the HTTP service alive.
#[derive(Debug)]
struct Handle {
    shared: Arc<SharedQueue>,
    _alive: watch::Sender<()>,
}

impl Session {
    /// Opens a session on this state. The receiver reports the session's end, when the sender is dropped.
    pub(crate) fn open(shared: Arc<SharedQueue>) -> (Self, watch::Receiver<()>) {
        let (alive, ended) = watch::channel(());
        (Self { handle: Arc::new(Handle { shared, _alive: alive }) }, ended)
    }

    /// Waits until the runtime asks for its first event or reports that it cannot start. Later calls return
    /// the same at once. Cancel-safe.
    pub async fn ready(&self) -> Ready {
        self.handle.shared.wait(|queue| queue.readiness()).await
    }

    /// Queues one event; a waiting poll gets it at once.
    ///
    /// Call it after [`Self::ready`] has returned [`Ready::Next`], and after the last invocation is
    /// [`Delivery::done`] and its handle is dropped.
    ///
    /// # Errors
    /// [`DeliverError`] when the runtime is not waiting for an event.
    pub fn deliver(&self, event: Event) -> Result<Delivery, DeliverError> {
        let number = self.handle.shared.deliver(event)?;
        Ok(Delivery { handle: Arc::clone(&self.handle), number })
    }

    /// The state of the runtime.
    pub fn state(&self) -> RuntimeState {
        self.handle.shared.lock().state()
    }

    /// Number of polls of the runtime that are waiting now on open connections.
    pub fn polls(&self) -> usize {
        self.handle.shared.lock().polls()
    }
}

/// One event on its way through the runtime: delivered, answered, done.
///
/// Dropping it takes an undelivered event back; after a delivered one the invocation continues and its answer
/// is dropped.
#[derive(Debug)]
pub struct Delivery {
    handle: Arc<Handle>,
    number: u64,
}

impl Delivery {
    /// Waits for the runtime's answer; later calls return the same. Cancel-safe.
    pub async fn outcome(&mut self) -> Outcome {
        self.handle.shared.wait(|queue| queue.outcome(self.number)).await
    }

    /// Waits until the runtime has answered and asked for the next event, which ends the invocation. Waits
    /// without end if the runtime exits instead. Cancel-safe.
    pub async fn done(&mut self) {
        self.handle.shared.wait(|queue| queue.is_done(self.number).then_some(())).await;
    }

    /// Whether the event was written to a poll of the runtime; then the function may have seen it.
    #[cfg(test)]
    pub(crate) fn is_delivered(&self) -> bool {
        self.handle.shared.lock().is_delivered(self.number)
    }

    /// Takes the event back for another environment; `None` if it was delivered. Afterwards neither
    /// [`Self::outcome`] nor [`Self::done`] returns.
    pub fn recall(&mut self) -> Option<Event> {
        let event = self.handle.shared.lock().recall(self.number)?;
        Some(Arc::unwrap_or_clone(event))
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.handle.shared.lock().abandon(self.number);
    }
}

#[cfg(test)]
mod tests;
