//! Dispatch: from an admitted invocation to an environment, and back.
//!
//! One invocation is one task: it takes a permit, acquires an idle environment or starts one, delivers the
//! event, waits for the first of response, exit and deadline, writes the platform's log lines and returns the
//! environment. The task outlives its caller, so that a client that goes away does not cut a function off.
//!
//! Invariants: one short lock (scaler and pool), never held across an await; an event is delivered to exactly
//! one environment; every permit and reservation is paid back on drop, whatever path a task takes.

mod acquire;
mod active;
mod admission;
mod drain;
mod idle;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lambd_engine::scaler::{ScalerLimits, Throttle};
use lambd_model::{FunctionId, Version};
use tokio::sync::oneshot;

use crate::environment::launch::EnvironmentStartError;
use crate::environment::{Environment, Launching};
use crate::logs::LogSink;
use crate::packages::{PackageError, Packages};
use crate::registry::Registry;
use crate::remark::Remark;
use crate::runtimes::Catalog;
use acquire::Acquired;
use active::{ActiveInvocation, Delivered, Settled};
use admission::{Admission, ConcurrencyPermit};

/// How long the runtime may take from its response to its next poll before the caller is answered without
/// waiting for it. Nearly every runtime polls within microseconds; then the environment is back in the pool
/// before the caller can ask again.
const SETTLE_TIMEOUT: Duration = Duration::from_millis(20);

/// One synchronous invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// UUID, also `x-amzn-RequestId` of the answer.
    pub request_id: String,
    /// The event, valid JSON.
    pub event: Bytes,
    /// The ARN as the caller named it.
    pub invoked_arn: String,
    /// Decoded client context.
    pub client_context: Option<String>,
    /// `X-Amzn-Trace-Id` for the runtime.
    pub trace_id: String,
    /// Whether the caller wants the log's tail.
    pub tail: bool,
}

/// What the caller of an invocation gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvocationResult {
    /// The function's response or an error payload.
    pub payload: Bytes,
    /// Whether the payload is an error (`X-Amz-Function-Error: Unhandled`).
    pub is_error: bool,
    /// Last 4 KB of the log, when asked for.
    pub tail: Option<String>,
}

/// Why an invocation did not run.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// Throttled: 429.
    #[error("throttled: {}", .0.reason())]
    Refused(Throttle),
    /// The function was deleted meanwhile.
    #[error("the function is gone")]
    Gone,
    /// The function's runtime is not installed any more.
    #[error("runtime {0} is not installed")]
    NoRuntime(String),
    /// The function's runtime cannot be read.
    #[error("cannot read the runtime")]
    Runtime(#[source] crate::runtimes::RuntimeError),
    /// The function's package cannot be read.
    #[error("cannot read the package")]
    Package(#[source] PackageError),
    /// No environment could be started.
    #[error("cannot start an execution environment")]
    Start(#[source] EnvironmentStartError),
    /// The task ended without an answer.
    #[error("the invocation was interrupted")]
    Interrupted,
}

/// How far an invocation got before anything of it was given back.
enum StartedInvocation<'a> {
    /// It has its outcome, and an environment that may serve again.
    Running(Box<ActiveInvocation<'a>>),
    /// No environment came up for it, and that is its answer.
    Over(InvocationResult),
}

/// Everything that dispatch needs; cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Dispatcher {
    admission: Arc<Admission>,
    registry: Arc<Registry>,
    packages: Arc<Packages>,
    catalog: Arc<Catalog>,
    launching: Launching,
    logs: LogSink,
    memory_remark: Remark,
}

impl Dispatcher {
    /// Starts with an empty pool; the reserved concurrency of known functions is taken over.
    pub fn new(
        limits: ScalerLimits,
        registry: Arc<Registry>,
        packages: Arc<Packages>,
        catalog: Arc<Catalog>,
        launching: Launching,
        logs: LogSink,
    ) -> Arc<Self> {
        let functions = registry.all();
        let admission = Admission::new(limits);
        let dispatcher = Self {
            admission,
            registry,
            packages,
            catalog,
            launching,
            logs,
            memory_remark: Remark::default(),
        };
        functions.iter().for_each(|function| dispatcher.reserve(&function.id));
        Arc::new(dispatcher)
    }

    /// Runs one event and waits for its answer.
    pub async fn invoke(
        self: &Arc<Self>,
        version: Arc<Version>,
        invocation: Invocation,
    ) -> Result<InvocationResult, InvokeError> {
        let permit = Admission::admit(&self.admission, &version.function).map_err(InvokeError::Refused)?;
        let (reply, answer) = oneshot::channel();
        let dispatcher = Arc::clone(self);
        tokio::spawn(async move { dispatcher.serve(version, invocation, permit, reply).await });
        answer.await.map_err(|_| InvokeError::Interrupted)?
    }

    /// The reserved concurrency of a function changed, or the function is gone. What the registry says now
    /// counts: changes that overtake each other end at the same value.
    pub fn reserve(&self, function: &Arc<FunctionId>) {
        self.admission.with(|state, now| {
            let reserved = self.registry.get(function).and_then(|function| function.reserved_concurrency);
            state.scaler.reserve(function, reserved, now);
        });
    }

    /// Ends the idle environments of a version's generation, which nothing runs any more; busy ones end with their
    /// invocation. Other versions of the function, and its next generation, keep theirs.
    pub fn retire(&self, version: &Version) {
        let retired = self.admission.with(|state, _| state.pool.retire(version.generation));
        retired.into_iter().for_each(Environment::terminate);
    }

    async fn serve(
        &self,
        version: Arc<Version>,
        invocation: Invocation,
        permit: ConcurrencyPermit,
        reply: oneshot::Sender<Result<InvocationResult, InvokeError>>,
    ) {
        let over = match self.begin(version, &invocation).await {
            Ok(StartedInvocation::Running(active)) => return self.finish(*active, permit, reply).await,
            Ok(StartedInvocation::Over(answer)) => Ok(answer),
            Err(error) => Err(error),
        };
        drop(permit);
        let _ = reply.send(over);
    }

    /// Finds an environment that takes the event, and waits for its outcome. Each turn of the loop uses up an
    /// idle environment that died while it rested, or follows a change of the function.
    async fn begin<'a>(
        &self,
        mut version: Arc<Version>,
        invocation: &'a Invocation,
    ) -> Result<StartedInvocation<'a>, InvokeError> {
        loop {
            let acquired = match self.acquire(&version, invocation).await {
                // An update or a delete came between, and the old code is collected already.
                Err(InvokeError::Package(PackageError::Missing { .. }))
                    if !self.registry.is_current(&version) =>
                {
                    let present = self.registry.version(&version.function, &version.qualifier);
                    version = present.ok_or(InvokeError::Gone)?;
                    continue;
                }
                acquired => acquired?,
            };
            match acquired {
                Acquired::Failed(answer) => return Ok(StartedInvocation::Over(answer)),
                Acquired::Ready { environment, start } => {
                    let mut active = Box::new(ActiveInvocation::new(*environment, invocation, start));
                    match active.deliver().await {
                        Delivered::Taken => return Ok(StartedInvocation::Running(active)),
                        Delivered::NotTaken => active.terminate(),
                    }
                }
            }
        }
    }

    /// From the outcome to the end of the invoke phase. Normally the runtime polls at once: then environment
    /// and permit are back before the caller hears of it. A slow one keeps both while the caller goes on.
    async fn finish(
        &self,
        mut active: ActiveInvocation<'_>,
        permit: ConcurrencyPermit,
        reply: oneshot::Sender<Result<InvocationResult, InvokeError>>,
    ) {
        let timeout = if active.wants_tail() { Duration::MAX } else { SETTLE_TIMEOUT };
        let mut reply = Some(reply);
        if let Settled::NotYet = active.settle(timeout).await {
            if let Some(reply) = reply.take() {
                let _ = reply.send(Ok(active.answer(None)));
            }
            active.settle(Duration::MAX).await;
        }
        let (answer, environment) = active.close().await;
        if let Some(environment) = environment {
            self.give_back(environment);
        }
        drop(permit);
        if let Some(reply) = reply {
            let _ = reply.send(Ok(answer));
        }
    }

    /// Back into the pool; out of it again if code or configuration changed meanwhile.
    fn give_back(&self, environment: Environment) {
        let version = Arc::clone(&environment.version);
        self.admission.put(environment);
        // Looked at behind the put: an update that came before has retired without seeing this environment,
        // one that comes later will see it.
        if !self.registry.is_current(&version) {
            self.retire(&version);
        }
    }
}

#[cfg(test)]
mod tests;
