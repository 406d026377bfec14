//! The state that the two ends of a session share: the runtime's state and the invocation in flight. It is
//! plain data; `shared` has the lock and wakes the waiting tasks.

use std::sync::Arc;

use crate::{Event, Forbidden, InitError, Outcome, Ready, RuntimeState, Transition};

/// Why an event could not be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliverError {
    /// The runtime has not asked for an event: it is starting, is running an invocation, or failed to start.
    #[error("runtime is not ready but {0}")]
    NotReady(RuntimeState),
    /// The handle of an earlier invocation still exists.
    #[error("an invocation is in flight")]
    Busy,
}

/// Why a post about an invocation was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    InvalidRequestId,
    InvalidInvocationId,
    Forbidden(Forbidden),
}

impl From<Forbidden> for Refusal {
    fn from(forbidden: Forbidden) -> Self {
        Self::Forbidden(forbidden)
    }
}

#[derive(Debug)]
pub(crate) struct Queue {
    state: RuntimeState,
    init_error: Option<InitError>,
    active: Option<Active>,
    polls: usize,
    invocations: u64,
}

/// The invocation in flight, from `deliver` until its handle is dropped and the runtime has finished it.
#[derive(Debug)]
struct Active {
    number: u64,
    event: Arc<Event>,
    /// A waiting poll may take the event.
    offered: bool,
    /// Number of polls that took it and have not handed it back.
    takers: usize,
    outcome: Option<Outcome>,
    /// Whether the runtime has asked for the next event.
    done: bool,
    /// Whether the server has dropped its handle.
    abandoned: bool,
}

impl Default for Queue {
    fn default() -> Self {
        Self { state: RuntimeState::Started, init_error: None, active: None, polls: 0, invocations: 0 }
    }
}

/// The server's side.
impl Queue {
    pub(crate) const fn state(&self) -> RuntimeState {
        self.state
    }

    pub(crate) const fn polls(&self) -> usize {
        self.polls
    }

    pub(crate) fn readiness(&self) -> Option<Ready> {
        match (self.state, &self.init_error) {
            (_, Some(error)) => Some(Ready::InitError(error.clone())),
            (RuntimeState::Started, None) => None,
            (_, None) => Some(Ready::Next),
        }
    }

    /// Queues the event and returns the number of the invocation.
    pub(crate) fn deliver(&mut self, event: Event) -> Result<u64, DeliverError> {
        if self.active.is_some() {
            return Err(DeliverError::Busy);
        }
        if self.state != RuntimeState::Ready {
            return Err(DeliverError::NotReady(self.state));
        }
        self.invocations += 1;
        self.active = Some(Active {
            number: self.invocations,
            event: Arc::new(event),
            offered: true,
            takers: 0,
            outcome: None,
            done: false,
            abandoned: false,
        });
        Ok(self.invocations)
    }

    fn active(&self, number: u64) -> Option<&Active> {
        self.active.as_ref().filter(|active| active.number == number)
    }

    pub(crate) fn outcome(&self, number: u64) -> Option<Outcome> {
        self.active(number)?.outcome.clone()
    }

    pub(crate) fn is_done(&self, number: u64) -> bool {
        self.active(number).is_some_and(|active| active.done)
    }

    #[cfg(test)]
    pub(crate) fn is_delivered(&self, number: u64) -> bool {
        self.active(number).is_some_and(|active| active.takers > 0)
    }

    /// Takes an undelivered event back. The state is `Ready` then, and does not change.
    pub(crate) fn recall(&mut self, number: u64) -> Option<Arc<Event>> {
        let taken = self.active.take_if(|active| active.number == number && active.takers == 0)?;
        Some(taken.event)
    }

    pub(crate) fn abandon(&mut self, number: u64) {
        if self.recall(number).is_some() {
            return;
        }
        if let Some(active) = self.active.as_mut().filter(|active| active.number == number) {
            active.abandoned = true;
            self.active.take_if(|active| active.done);
        }
    }
}

/// The runtime's side.
impl Queue {
    /// Records a call of `next`: a poll is waiting until `poll_ended`.
    pub(crate) fn next(&mut self) -> Result<(), Forbidden> {
        let before = self.state;
        self.state = before.on(Transition::Next)?;
        if let Some(active) = &mut self.active {
            match before {
                RuntimeState::Running => active.offered = true,
                RuntimeState::ResponseSent => active.done = true,
                _ => {}
            }
        }
        self.active.take_if(|active| active.done && active.abandoned);
        self.polls += 1;
        Ok(())
    }

    /// Whether an event waits for a poll.
    pub(crate) fn is_offered(&self) -> bool {
        self.active.as_ref().is_some_and(|active| active.offered)
    }

    /// Gives the event to a waiting poll, if there is one.
    pub(crate) fn take(&mut self) -> Option<Given> {
        let active = self.active.as_mut().filter(|active| active.offered)?;
        self.state = self.state.on(Transition::Hand).ok()?;
        active.offered = false;
        active.takers += 1;
        Some(Given { number: active.number, event: Arc::clone(&active.event) })
    }

    pub(crate) const fn poll_ended(&mut self) {
        self.polls = self.polls.saturating_sub(1);
    }

    /// Called when an answer with the event was dropped before it was written. True when the event waits for
    /// a poll again; it does not if another poll has it or the runtime has answered.
    pub(crate) fn hand_back(&mut self, number: u64) -> bool {
        let Some(active) = self.active.as_mut().filter(|active| active.number == number) else {
            return false;
        };
        active.takers = active.takers.saturating_sub(1);
        if active.takers > 0 || self.state != RuntimeState::Running {
            return false;
        }
        let Ok(state) = self.state.on(Transition::HandBack) else { return false };
        self.state = state;
        active.offered = true;
        self.active.take_if(|active| active.abandoned).is_none()
    }

    /// Checks the ids of a post about an invocation before anything changes.
    pub(crate) fn check(&self, request_id: &str, invocation_id: Option<&[u8]>) -> Result<(), Refusal> {
        let active = self.active.as_ref().filter(|active| !active.done && active.takers > 0);
        let Some(active) =
            active.filter(|active| active.event.request_id == request_id && !request_id.is_empty())
        else {
            return Err(Refusal::InvalidRequestId);
        };
        match invocation_id {
            Some(id) if id != active.event.invocation_id.as_bytes() => Err(Refusal::InvalidInvocationId),
            _ => Ok(()),
        }
    }

    /// Changes the state for a post.
    pub(crate) fn apply(&mut self, transition: Transition) -> Result<(), Forbidden> {
        self.state = self.state.on(transition)?;
        if let Some(active) = &mut self.active {
            active.offered = false;
        }
        Ok(())
    }

    pub(crate) fn answer(&mut self, outcome: Outcome) {
        if let Some(active) = &mut self.active {
            active.outcome.get_or_insert(outcome);
        }
    }

    pub(crate) fn fail_init(&mut self, error: InitError) -> Result<(), Forbidden> {
        self.apply(Transition::InitError)?;
        self.init_error.get_or_insert(error);
        Ok(())
    }
}

/// An event that is given to a poll.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) number: u64,
    pub(crate) event: Arc<Event>,
}
