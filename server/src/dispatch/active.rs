//! One event in one environment, from its delivery to the end of the invoke phase.

use std::time::Duration;

use bytes::Bytes;
use lambd_model::clock;
use lambd_runtime_api::{Delivery, Event, Outcome};
use lambd_sandbox::Exit;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Invocation, InvocationResult};
use crate::environment::Environment;
use crate::environment::failure::InvocationFailure;
use crate::environment::output::{ProgramOutput, keep_end};
use crate::platform_log::{Lines, Report, Status};

/// How long to wait for a response after its process has ended: it may still be in the socket.
const RESPONSE_GRACE: Duration = Duration::from_millis(20);

/// The state of the invoke phase.
enum InvokePhase {
    /// The function has answered, but the runtime has not polled again.
    Answered(Delivery),
    /// The runtime has polled: the environment can take the next event.
    Idle,
    /// An exit, a timeout or a violation of the protocol: the environment cannot be used again.
    Spent,
}

/// Whether the environment took the event.
pub(super) enum Delivered {
    /// The invocation has its outcome.
    Taken,
    /// The environment, which had been idle, ended without taking the event: another one may serve.
    NotTaken,
}

/// Whether the invoke phase is over.
pub(super) enum Settled {
    /// The invoke phase is over.
    Over,
    /// The time to wait has passed before.
    NotYet,
}

/// The result of an invocation, for its caller and for its log.
struct Completion {
    payload: Bytes,
    is_error: bool,
    status: Status,
}

/// How the environment for an invocation was acquired.
#[derive(Debug, Clone, Copy)]
pub(super) struct StartInfo {
    /// It was idle: if it has ended, another one may serve.
    pub(super) is_warm: bool,
    /// Duration of the init of a cold start, for REPORT.
    pub(super) init: Option<Duration>,
    /// When the time of the invocation began; a suppressed init is part of it.
    pub(super) at: Instant,
}

/// An invocation with its environment.
pub(super) struct ActiveInvocation<'a> {
    environment: Environment,
    invocation: &'a Invocation,
    start: StartInfo,
    deadline: Instant,
    phase: InvokePhase,
    completion: Completion,
}

impl<'a> ActiveInvocation<'a> {
    pub(super) fn new(environment: Environment, invocation: &'a Invocation, start: StartInfo) -> Self {
        let budget = Duration::from_secs(u64::from(environment.version.configuration.timeout_s));
        let completion = Completion { payload: Bytes::new(), is_error: false, status: Status::Success };
        Self {
            environment,
            invocation,
            start,
            deadline: start.at + budget,
            phase: InvokePhase::Spent,
            completion,
        }
    }

    pub(super) fn wants_tail(&self) -> bool {
        self.invocation.tail
    }

    /// Delivers the event and waits for its outcome. If a fresh environment ends, this is the outcome,
    /// because the next one would most likely end, too.
    pub(super) async fn deliver(&mut self) -> Delivered {
        let (invocation, environment) = (self.invocation, &mut self.environment);
        if invocation.tail {
            environment.output.record_tail();
        }
        let lines = Lines(&environment.version.configuration.logging);
        if let Some(line) = lines.start(&invocation.request_id, &environment.version.qualifier) {
            environment.output.line(line);
        }
        let timeout_s = environment.version.configuration.timeout_s;
        let event = event_of(invocation, self.deadline.saturating_duration_since(Instant::now()));
        let Ok(mut delivery) = environment.session.deliver(event) else { return self.lost(None).await };
        let (output, _, exit) = environment.parts();
        let end = tokio::select! {
            biased;
            outcome = delivery.outcome() => Ok(outcome),
            exit = exit => Err(Some(exit)),
            () = tokio::time::sleep_until(self.deadline) => Err(None),
            never = output.pump() => match never {},
        };
        let end = match end {
            Err(Some(exit)) => match tokio::time::timeout(RESPONSE_GRACE, delivery.outcome()).await {
                Ok(outcome) => Ok(outcome),
                Err(_) => Err(Some(exit)),
            },
            other => other,
        };
        match end {
            Ok(outcome) => self.take_outcome(outcome, delivery),
            Err(Some(exit)) if delivery.recall().is_some() => return self.lost(Some(exit)).await,
            Err(Some(exit)) => self.fail(InvocationFailure::exit(&invocation.request_id, &exit)),
            Err(None) => self.fail(InvocationFailure::timeout(&invocation.request_id, timeout_s)),
        }
        Delivered::Taken
    }

    /// The event was not taken. The environment is useless even if its process has not ended.
    async fn lost(&mut self, exit: Option<Exit>) -> Delivered {
        if self.start.is_warm {
            return Delivered::NotTaken;
        }
        let exit = match exit {
            Some(exit) => exit,
            None => {
                tokio::time::timeout(RESPONSE_GRACE, self.environment.exited()).await.unwrap_or(Exit::Gone)
            }
        };
        self.fail(InvocationFailure::exit(&self.invocation.request_id, &exit));
        Delivered::Taken
    }

    /// Ends an environment that did not take the event.
    pub(super) fn terminate(self) {
        self.environment.terminate();
    }

    /// Waits at most `timeout` for the runtime to poll again, or for an exit or the deadline, which end the
    /// environment.
    pub(super) async fn settle(&mut self, timeout: Duration) -> Settled {
        let InvokePhase::Answered(delivery) = &mut self.phase else { return Settled::Over };
        let (output, _, exit) = self.environment.parts();
        let until = Instant::now().checked_add(timeout).map_or(self.deadline, |t| t.min(self.deadline));
        let status = tokio::select! {
            biased;
            () = delivery.done() => {
                self.phase = InvokePhase::Idle;
                return Settled::Over;
            }
            _ = exit => Status::Error("Runtime.ExitError".to_owned()),
            () = tokio::time::sleep_until(until) => {
                if until < self.deadline {
                    return Settled::NotYet;
                }
                Status::Timeout
            }
            never = output.pump() => match never {},
        };
        // The caller keeps its answer; only the log shows how the phase ended [fact:invoke-end]. If there was
        // a fatal error before, the log shows that one [fact:first-fatal-error].
        if self.completion.status == Status::Success {
            self.completion.status = status;
        }
        self.phase = InvokePhase::Spent;
        Settled::Over
    }

    /// The answer at this moment, before the log is complete.
    pub(super) fn answer(&self, tail: Option<String>) -> InvocationResult {
        InvocationResult {
            payload: self.completion.payload.clone(),
            is_error: self.completion.is_error,
            tail,
        }
    }

    /// Writes END and REPORT; returns the environment if it can serve again.
    pub(super) async fn close(mut self) -> (InvocationResult, Option<Environment>) {
        let report = Report {
            duration: self.start.at.elapsed(),
            init: self.start.init,
            memory_mib: self.environment.version.configuration.memory_mib,
            used_bytes: self.environment.memory_peak_bytes(),
            status: self.completion.status.clone(),
        };
        let reusable = matches!(self.phase, InvokePhase::Idle);
        if !reusable {
            // Killed before anything is awaited: code must not run past its deadline.
            self.environment.kill();
        }
        let lines = Lines(&self.environment.version.configuration.logging);
        let lines = lines.finish(&self.invocation.request_id, &report);
        let output = &mut self.environment.output;
        output.conclude(lines).await;
        let tail = finish_tail(output);
        let answer = self.answer(tail);
        let environment = reusable.then_some(self.environment);
        (answer, environment)
    }

    fn take_outcome(&mut self, outcome: Outcome, delivery: Delivery) {
        let failure = match outcome {
            Outcome::Response(response) => {
                self.completion.payload = response.body;
                self.phase = InvokePhase::Answered(delivery);
                return;
            }
            Outcome::Error(error) => InvocationFailure::reported(error.body, error.error_type),
            Outcome::ResponseTooLarge { .. } => InvocationFailure::response_too_large(),
            Outcome::Truncated => InvocationFailure::platform(
                "Runtime.TruncatedResponse",
                &self.invocation.request_id,
                "HTTP request detected as truncated",
            ),
            // The runtime's further calls are refused until a reset [fact:invalid-response-mode].
            Outcome::InvalidResponseMode => {
                self.fail(InvocationFailure::empty("Runtime.InvalidResponseModeHeader"));
                return;
            }
        };
        self.fail(failure);
        self.phase = InvokePhase::Answered(delivery);
    }

    fn fail(&mut self, failure: InvocationFailure) {
        self.completion = Completion { payload: failure.payload, is_error: true, status: failure.status };
        self.phase = InvokePhase::Spent;
    }
}

pub(super) fn finish_tail(output: &mut ProgramOutput) -> Option<String> {
    let mut tail = output.take_tail()?;
    keep_end(&mut tail);
    Some(tail)
}

fn event_of(invocation: &Invocation, budget: Duration) -> Event {
    let now_ms = u64::try_from(clock::now_ms()).unwrap_or_default();
    Event {
        request_id: invocation.request_id.clone(),
        deadline_ms: now_ms.saturating_add(u64::try_from(budget.as_millis()).unwrap_or(u64::MAX)),
        invoked_function_arn: invocation.invoked_arn.clone(),
        trace_id: invocation.trace_id.clone(),
        client_context: invocation.client_context.clone().unwrap_or_default(),
        invocation_id: Uuid::new_v4().to_string(),
        body: invocation.event.clone(),
        ..Event::default()
    }
}
