//! Reads the results of invocations, for assertions.

use lambd_engine::scaler::Throttle;

use super::act::Reply;
use crate::dispatch::{InvocationResult, InvokeError};

/// The result for the caller.
pub(super) type Outcome = Result<InvocationResult, InvokeError>;

/// The number of the environment that answered.
#[track_caller]
pub(super) fn by(outcome: &Outcome) -> usize {
    let answer = outcome.as_ref().expect("an answer");
    Reply::of(answer).unwrap_or_else(|| panic!("{answer:?}")).environment
}

/// The type of the error.
#[track_caller]
pub(super) fn error(outcome: &Outcome) -> String {
    let answer = outcome.as_ref().expect("an answer");
    assert!(answer.is_error, "{answer:?}");
    let answer: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
    answer["errorType"].as_str().unwrap().to_owned()
}

/// The reason of the refusal.
#[track_caller]
pub(super) fn refusal(outcome: &Outcome) -> Throttle {
    match outcome {
        Err(InvokeError::Refused(refusal)) => *refusal,
        other => panic!("not refused but {other:?}"),
    }
}
