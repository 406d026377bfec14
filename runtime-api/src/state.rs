//! The runtime's states and the transitions between them: pure, without time, locks or HTTP.

use std::fmt;

/// Where the runtime of one environment stands. The names shown are the ones that AWS puts
/// into `InvalidStateTransition` [fact:runtime-states].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The process was started and has called neither `next` nor `init/error`.
    Started,
    /// It has called `next` and holds no event.
    Ready,
    /// It holds an event and has not answered.
    Running,
    /// The body of its response is arriving, or its response was refused for its mode.
    InvocationResponse,
    /// It reports that the function failed.
    InvocationErrorResponse,
    /// It has answered; the invocation lasts until it calls `next`.
    ResponseSent,
    /// It reported that it cannot start. Final.
    InitError,
}

/// What moves the state: the calls of the runtime and the deeds of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `GET invocation/next` arrived.
    Next,
    /// An event goes to a waiting `next`.
    Hand,
    /// That event was never written to the connection, or the server took it back.
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
pub struct Forbidden {
    /// The state at the time of the call.
    pub from: State,
    /// The state that the call asked for.
    pub to: State,
}

impl State {
    /// The state after `call`.
    ///
    /// # Errors
    /// [`Forbidden`] for every pair that is not listed here.
    pub const fn on(self, call: Call) -> Result<Self, Forbidden> {
        match self {
            Self::Started => match call {
                Call::Next => Ok(Self::Ready),
                Call::InitError => Ok(Self::InitError),
                _ => self.refuse(call),
            },
            Self::Ready => match call {
                Call::Next | Call::HandBack => Ok(Self::Ready),
                Call::Hand => Ok(Self::Running),
                _ => self.refuse(call),
            },
            Self::Running => match call {
                // Polling again before answering gives the same event again.
                Call::Next | Call::Hand => Ok(Self::Running),
                Call::HandBack => Ok(Self::Ready),
                Call::Response => Ok(Self::InvocationResponse),
                Call::Error => Ok(Self::InvocationErrorResponse),
                _ => self.refuse(call),
            },
            Self::InvocationResponse | Self::InvocationErrorResponse => match call {
                Call::Sent => Ok(Self::ResponseSent),
                _ => self.refuse(call),
            },
            Self::ResponseSent => match call {
                Call::Next => Ok(Self::Ready),
                _ => self.refuse(call),
            },
            Self::InitError => self.refuse(call),
        }
    }

    const fn refuse(self, call: Call) -> Result<Self, Forbidden> {
        Err(Forbidden { from: self, to: call.target() })
    }
}

impl Call {
    const fn target(self) -> State {
        match self {
            Self::Next | Self::HandBack => State::Ready,
            Self::Hand => State::Running,
            Self::Response => State::InvocationResponse,
            Self::Error => State::InvocationErrorResponse,
            Self::Sent => State::ResponseSent,
            Self::InitError => State::InitError,
        }
    }
}

impl fmt::Display for State {
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
