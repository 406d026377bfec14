//! The state machine of lambda.md A5: pure, and closed by default. A state lists what it allows; whatever it
//! does not list is refused with 403.

/// What the runtime may be doing. Names as AWS's core has them, because they appear in its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The process runs its init and has not called yet.
    Started,
    /// It polls for an event.
    Ready,
    /// It has an event.
    Running,
    /// It is sending its response.
    InvocationResponse,
    /// It is sending an error.
    InvocationErrorResponse,
    /// It has answered and not polled again.
    RuntimeResponseSent,
    /// It reported that init failed.
    InitError,
}

/// What the runtime asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// GET next.
    Next,
    /// The head of POST response.
    Response,
    /// The head of POST error.
    Error,
    /// The end of either, whole or not.
    Sent,
    /// POST init/error.
    InitError,
}

/// A refused transition; the text is AWS's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("State transition from {} to {} failed for runtime. Error: State transition is not allowed", .from.name(), .to.name())]
pub struct NotAllowed {
    /// Where the runtime is.
    pub from: State,
    /// Where it wanted to be.
    pub to: State,
}

impl State {
    /// The state after `call`, if this state allows it.
    pub fn after(self, call: Call) -> Result<Self, NotAllowed> {
        use Call as C;
        match (self, call) {
            (Self::Started | Self::Ready | Self::RuntimeResponseSent, C::Next) => Ok(Self::Ready),
            // Polling with an event in hand gives the same event again.
            (Self::Running, C::Next) => Ok(Self::Running),
            (Self::Running, C::Response) => Ok(Self::InvocationResponse),
            (Self::Running, C::Error) => Ok(Self::InvocationErrorResponse),
            (Self::InvocationResponse | Self::InvocationErrorResponse, C::Sent) => {
                Ok(Self::RuntimeResponseSent)
            }
            (Self::Started, C::InitError) => Ok(Self::InitError),
            (from, call) => Err(NotAllowed { from, to: call.target() }),
        }
    }

    /// AWS's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "Started",
            Self::Ready => "Ready",
            Self::Running => "Running",
            Self::InvocationResponse => "InvocationResponse",
            Self::InvocationErrorResponse => "InvocationErrorResponse",
            Self::RuntimeResponseSent => "RuntimeResponseSentState",
            Self::InitError => "InitError",
        }
    }
}

impl Call {
    fn target(self) -> State {
        match self {
            Self::Next => State::Ready,
            Self::Response => State::InvocationResponse,
            Self::Error => State::InvocationErrorResponse,
            Self::Sent => State::RuntimeResponseSent,
            Self::InitError => State::InitError,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every state against every call: what is not in this table is refused.
    #[test]
    fn all_combinations() {
        use Call as C;
        use State as S;
        let states = [
            S::Started,
            S::Ready,
            S::Running,
            S::InvocationResponse,
            S::InvocationErrorResponse,
            S::RuntimeResponseSent,
            S::InitError,
        ];
        let allowed = [
            (S::Started, C::Next, S::Ready),
            (S::Ready, C::Next, S::Ready),
            (S::Running, C::Next, S::Running),
            (S::RuntimeResponseSent, C::Next, S::Ready),
            (S::Running, C::Response, S::InvocationResponse),
            (S::Running, C::Error, S::InvocationErrorResponse),
            (S::InvocationResponse, C::Sent, S::RuntimeResponseSent),
            (S::InvocationErrorResponse, C::Sent, S::RuntimeResponseSent),
            (S::Started, C::InitError, S::InitError),
        ];
        for from in states {
            for call in [C::Next, C::Response, C::Error, C::Sent, C::InitError] {
                let want = allowed.iter().find(|(f, c, _)| (*f, *c) == (from, call)).map(|(_, _, to)| *to);
                assert_eq!(from.after(call).ok(), want, "{from:?} {call:?}");
            }
        }
    }

    #[test]
    fn the_text_is_aws_s() {
        let refused = State::RuntimeResponseSent.after(Call::Response).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "State transition from RuntimeResponseSentState to InvocationResponse failed for runtime. \
             Error: State transition is not allowed"
        );
    }
}
