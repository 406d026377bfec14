//! What a test tells a fake runtime to do: with an event, which carries its own orders, and at its start.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::dispatch::InvocationResult;

/// What the runtime does with an event, which says so itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Act {
    print: Option<String>,
    after: Duration,
    pub(super) end: End,
    poll_after: Duration,
}

/// What becomes of the event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum End {
    /// A response, which names the environment.
    Answer,
    /// An error of the function's own.
    Error,
    /// The program ends without an answer.
    Exit,
    /// The program answers and ends.
    AnswerAndExit,
    /// The same in one breath: its end is known before its answer is read.
    AnswerAndVanish,
    /// Nothing ever.
    Hang,
}

impl Act {
    /// At once.
    pub(super) fn new(end: End) -> Self {
        Self { print: None, after: Duration::ZERO, end, poll_after: Duration::ZERO }
    }

    /// Answers after some time.
    pub(super) fn answer_after(ms: u64) -> Self {
        Self::new(End::Answer).after(ms)
    }

    /// After some time.
    pub(super) fn after(self, ms: u64) -> Self {
        Self { after: Duration::from_millis(ms), ..self }
    }

    /// Polls so long after its answer.
    pub(super) fn polling_after(self, ms: u64) -> Self {
        Self { poll_after: Duration::from_millis(ms), ..self }
    }

    /// Prints a line first.
    pub(super) fn printing(self, line: &str) -> Self {
        Self { print: Some(line.to_owned()), ..self }
    }

    /// Takes as long as the event.
    pub(super) async fn work(&self) {
        wait(self.after).await;
    }

    /// Takes as long as the runtime does until it polls again.
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
    /// Of the event.
    pub(super) id: String,
    /// Whose it is.
    pub(super) environment: usize,
}

impl Reply {
    /// `None` where the answer is an error.
    pub(super) fn of(answer: &InvocationResult) -> Option<Self> {
        (!answer.is_error).then(|| serde_json::from_slice(&answer.payload).unwrap())
    }
}

/// How the next environment starts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Init {
    /// It polls after this time.
    Ready(Duration),
    /// It reports that it cannot start, and stays there.
    Error,
    /// Its program ends with this status.
    Exit(i32),
    /// It polls and is gone before an event can reach it; its end is told a little later.
    PollAndExit(i32),
    /// Nothing ever.
    Hang,
    /// There is no such program.
    NoProgram,
    /// The launcher refuses.
    Refused,
}

/// A timer of no time at all would wait for the next millisecond.
pub(super) async fn wait(time: Duration) {
    if time > Duration::ZERO {
        tokio::time::sleep(time).await;
    }
}
