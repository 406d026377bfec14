//! What invocations come to, for assertions.

use lambd_engine::scaler::Throttle;

use super::act::Reply;
use crate::dispatch::{InvocationResult, InvokeError};

/// What the caller gets.
pub(super) type Outcome = Result<InvocationResult, InvokeError>;

/// Which environment gave this answer.
#[track_caller]
pub(super) fn by(outcome: &Outcome) -> usize {
    let answer = outcome.as_ref().expect("an answer");
    Reply::of(answer).unwrap_or_else(|| panic!("{answer:?}")).environment
}

/// The error's type.
#[track_caller]
pub(super) fn error(outcome: &Outcome) -> String {
    let answer = outcome.as_ref().expect("an answer");
    assert!(answer.is_error, "{answer:?}");
    let answer: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
    answer["errorType"].as_str().unwrap().to_owned()
}

/// Why it was refused.
#[track_caller]
pub(super) fn refusal(outcome: &Outcome) -> Throttle {
    match outcome {
        Err(InvokeError::Refused(refusal)) => *refusal,
        other => panic!("not refused but {other:?}"),
    }
}
