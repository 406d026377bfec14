//! The orders of a test to a fake runtime: at its start, and with an event, whose payload is the order.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::dispatch::InvocationResult;

/// What the runtime does with an event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Act {
    print: Option<String>,
    after: Duration,
    pub(super) end: End,
    poll_after: Duration,
}

/// How the event ends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum End {
    /// A response, which contains the number of the environment.
    Answer,
    /// An error of the function's own.
    Error,
    /// The program ends without an answer.
    Exit,
    /// The program answers and ends.
    AnswerAndExit,
    /// Answers and ends at once: the server sees the end before it reads the answer.
    AnswerAndVanish,
    /// No answer, and no end.
    Hang,
}

impl Act {
    /// Ends at once in this way.
    pub(super) fn new(end: End) -> Self {
        Self { print: None, after: Duration::ZERO, end, poll_after: Duration::ZERO }
    }

    /// Answers after some time.
    pub(super) fn answer_after(ms: u64) -> Self {
        Self::new(End::Answer).after(ms)
    }

    /// Works for this time first.
    pub(super) fn after(self, ms: u64) -> Self {
        Self { after: Duration::from_millis(ms), ..self }
    }

    /// Polls this time after its answer.
    pub(super) fn polling_after(self, ms: u64) -> Self {
        Self { poll_after: Duration::from_millis(ms), ..self }
    }

    /// Prints a line first.
    pub(super) fn printing(self, line: &str) -> Self {
        Self { print: Some(line.to_owned()), ..self }
    }

    /// Takes the time of the work.
    pub(super) async fn work(&self) {
        wait(self.after).await;
    }

    /// Takes the time until the runtime polls again.
    pub(super) async fn rest(&self) {
        wait(self.poll_after).await;
    }

    /// The line to print before the answer.
    pub(super) fn line(&self) -> Option<&str> {
        self.print.as_deref()
    }

    pub(super) fn event(&self) -> Bytes {
        serde_json::to_vec(self).unwrap().into()
    }
}

/// The answer to an event.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reply {
    /// The id of the request.
    pub(super) id: String,
    /// The number of the environment.
    pub(super) environment: usize,
}

impl Reply {
    /// `None` if the answer is an error.
    pub(super) fn of(answer: &InvocationResult) -> Option<Self> {
        (!answer.is_error).then(|| serde_json::from_slice(&answer.payload).unwrap())
    }
}

/// How the next environment starts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Init {
    /// The runtime polls after this time.
    Ready(Duration),
    /// The runtime reports that it cannot start, and does not end.
    Error,
    /// The program ends with this status.
    Exit(i32),
    /// The runtime polls and ends before an event can reach it; the server learns of its end a little later.
    PollAndExit(i32),
    /// No poll, and no end.
    Hang,
    /// The program does not exist.
    NoProgram,
    /// The launcher refuses.
    Refused,
}

/// Does not wait for zero time, because a timer would wait for the next millisecond.
pub(super) async fn wait(time: Duration) {
    if time > Duration::ZERO {
        tokio::time::sleep(time).await;
    }
}
