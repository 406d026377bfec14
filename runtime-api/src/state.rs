//! The runtime's states and the transitions between them, without time, locks or HTTP.

use std::fmt;

/// State of the runtime of one environment. Its `Display` form is the name that AWS uses in
/// `InvalidStateTransition` [fact:runtime-states].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuntimeState {
    /// The process was started and has called neither `next` nor `init/error`.
    Started,
    /// The runtime has called `next` and has no event.
    Ready,
    /// The runtime has an event and has not answered.
    Running,
    /// The body of a response is arriving, or a response was refused for its mode.
    InvocationResponse,
    /// The runtime is reporting that the function failed.
    InvocationErrorResponse,
    /// The runtime has answered; the invocation lasts until it calls `next`.
    ResponseSent,
    /// The runtime has reported that it cannot start. No transition leaves this state.
    InitError,
}

/// The calls of the runtime and the actions of the server that change the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transition {
    /// `GET invocation/next` arrived.
    Next,
    /// An event is handed to a waiting `next`.
    Hand,
    /// The event was not written to the connection, or the server took it back.
    HandBack,
    /// `POST response` begins.
    Response,
    /// `POST error` begins.
    Error,
    /// The answer is complete, refused for its size, or truncated.
    Sent,
    /// `POST init/error`.
    InitError,
}

/// A transition that the state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("State transition from {from} to {to} failed for runtime. Error: State transition is not allowed")]
pub(crate) struct Forbidden {
    /// The current state.
    pub(crate) from: RuntimeState,
    /// The state that the transition would lead to.
    pub(crate) to: RuntimeState,
}

impl RuntimeState {
    /// Returns the state after `transition`.
    ///
    /// # Errors
    /// [`Forbidden`] for every pair that is not listed here.
    pub(crate) const fn on(self, transition: Transition) -> Result<Self, Forbidden> {
        match self {
            Self::Started => match transition {
                Transition::Next => Ok(Self::Ready),
                Transition::InitError => Ok(Self::InitError),
                _ => self.refuse(transition),
            },
            Self::Ready => match transition {
                Transition::Next | Transition::HandBack => Ok(Self::Ready),
                Transition::Hand => Ok(Self::Running),
                _ => self.refuse(transition),
            },
            Self::Running => match transition {
                // Polling again before answering returns the same event again.
                Transition::Next | Transition::Hand => Ok(Self::Running),
                Transition::HandBack => Ok(Self::Ready),
                Transition::Response => Ok(Self::InvocationResponse),
                Transition::Error => Ok(Self::InvocationErrorResponse),
                _ => self.refuse(transition),
            },
            Self::InvocationResponse | Self::InvocationErrorResponse => match transition {
                Transition::Sent => Ok(Self::ResponseSent),
                _ => self.refuse(transition),
            },
            Self::ResponseSent => match transition {
                Transition::Next => Ok(Self::Ready),
                _ => self.refuse(transition),
            },
            Self::InitError => self.refuse(transition),
        }
    }

    const fn refuse(self, transition: Transition) -> Result<Self, Forbidden> {
        Err(Forbidden { from: self, to: transition.target() })
    }
}

impl Transition {
    const fn target(self) -> RuntimeState {
        match self {
            Self::Next | Self::HandBack => RuntimeState::Ready,
            Self::Hand => RuntimeState::Running,
            Self::Response => RuntimeState::InvocationResponse,
            Self::Error => RuntimeState::InvocationErrorResponse,
            Self::Sent => RuntimeState::ResponseSent,
            Self::InitError => RuntimeState::InitError,
        }
    }
}

impl fmt::Display for RuntimeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Started => "Started",
            Self::Ready => "Ready",
            Self::Running => "Running",
            Self::InvocationResponse => "InvocationResponse",
            Self::InvocationErrorResponse => "InvocationErrorResponse",
            Self::ResponseSent => "RuntimeResponseSentState",
            Self::InitError => "InitError",
        })
    }
}

#[cfg(test)]
mod tests;
