//! Dispatch: brings an admitted invocation to an environment, and its answer back.
//!
//! One invocation is one task: it takes a permit, acquires an idle environment or starts one, delivers the
//! event, waits for a response, an exit or the deadline, writes the platform's log lines and returns the
//! environment. The task does not end with its caller: a client that disconnects does not stop the function.
//!
//! Invariants: one short lock (scaler and pool), never held across an await; an event is delivered to exactly
//! one environment; permits and reservations are returned when they are dropped, however a task ends.

mod acquire;
mod active;
mod admission;
mod drain;
mod idle;
mod provisioned;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lambd_engine::pool::Leased;
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
use admission::{Admission, Admitted, ConcurrencyPermit};

pub use provisioned::{Allocation, ProvisionedStatus};

/// How long the runtime may take from its response to its next poll before the caller gets its answer without
/// waiting for the poll. Nearly every runtime polls within microseconds; then the environment is back in the
/// pool before the caller can invoke again.
const SETTLE_TIMEOUT: Duration = Duration::from_millis(20);

/// One synchronous invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// UUID; also the `x-amzn-RequestId` of the answer.
    pub request_id: String,
    /// The event; valid JSON.
    pub event: Bytes,
    /// The ARN as the caller named it.
    pub invoked_arn: String,
    /// Client context, decoded.
    pub client_context: Option<String>,
    /// `X-Amzn-Trace-Id` for the runtime.
    pub trace_id: String,
    /// Whether the caller wants the end of the log.
    pub tail: bool,
}

/// The answer to an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvocationResult {
    /// The function's response or an error payload.
    pub payload: Bytes,
    /// Whether the payload is an error (`X-Amz-Function-Error: Unhandled`).
    pub is_error: bool,
    /// The last 4 KB of the log, if the caller wanted them.
    pub tail: Option<String>,
}

/// Why an invocation did not run.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// Throttled; answered with 429.
    #[error("throttled: {}", .0.reason())]
    Refused(Throttle),
    /// The function has been deleted since.
    #[error("the function was deleted")]
    Gone,
    /// The function's runtime has been removed.
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

/// The state of an invocation before its environment and its permit are returned.
enum StartedInvocation<'a> {
    /// The function has run; its environment may serve again.
    Running(Box<ActiveInvocation<'a>>),
    /// No environment could be initialised; this is the answer.
    Over(InvocationResult),
}

/// Runs invocations; shared as an `Arc`.
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
    /// Starts with an empty pool and the reserved concurrency of all known functions.
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

    /// Runs one invocation and waits for its answer.
    pub async fn invoke(
        self: &Arc<Self>,
        version: Arc<Version>,
        invocation: Invocation,
    ) -> Result<InvocationResult, InvokeError> {
        let admitted = Admission::admit(&self.admission, &version).map_err(InvokeError::Refused)?;
        let (reply, answer) = oneshot::channel();
        let dispatcher = Arc::clone(self);
        tokio::spawn(async move { dispatcher.serve(version, invocation, admitted, reply).await });
        answer.await.map_err(|_| InvokeError::Interrupted)?
    }

    /// Takes over the reserved and the provisioned concurrency of a function that was changed or deleted. Always
    /// reads the registry, so that concurrent changes end with its present value.
    pub fn reserve(&self, function: &Arc<FunctionId>) {
        self.admission.with(|state, now| {
            let present = self.registry.get(function);
            let reserved = present.as_ref().and_then(|function| function.reserved_concurrency);
            let provisioned = present.map_or(0, |function| function.provisioned_total());
            state.scaler.reserve(function, reserved, now);
            state.scaler.provision(function, provisioned, now);
        });
        self.admission.unprovided.notify_one();
    }

    /// Ends the idle environments of a version's generation, because nothing runs that generation any more.
    /// Busy ones end after their invocation. Other generations of the function keep theirs.
    pub fn retire(&self, version: &Version) {
        let retired = self.admission.with(|state, _| state.pool.retire(version.generation));
        retired.into_iter().for_each(Environment::terminate);
    }

    async fn serve(
        &self,
        version: Arc<Version>,
        invocation: Invocation,
        admitted: Admitted,
        reply: oneshot::Sender<Result<InvocationResult, InvokeError>>,
    ) {
        let Admitted { permit, provisioned } = admitted;
        let over = match self.begin(version, &invocation, provisioned).await {
            Ok(StartedInvocation::Running(active)) => return self.finish(*active, permit, reply).await,
            Ok(StartedInvocation::Over(answer)) => Ok(answer),
            Err(error) => Err(error),
        };
        drop(permit);
        let _ = reply.send(over);
    }

    /// Finds an environment that takes the event, and waits for the outcome. The loop repeats when an idle
    /// environment turns out to be dead, or when the function has changed.
    async fn begin<'a>(
        &self,
        mut version: Arc<Version>,
        invocation: &'a Invocation,
        mut provisioned: Option<Box<Leased<Environment>>>,
    ) -> Result<StartedInvocation<'a>, InvokeError> {
        loop {
            let acquired = match self.acquire(&version, invocation, provisioned.take()).await {
                // The function was updated or deleted, and the old code has been collected.
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

    /// Completes the invoke phase. Most runtimes poll at once: environment and permit are then returned
    /// before the caller gets the answer. A slow runtime keeps both, but the caller gets the answer earlier.
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

    /// Returns an environment to the pool, and removes it again if code or configuration has changed.
    fn give_back(&self, environment: Environment) {
        let version = Arc::clone(&environment.version);
        if let Some(unwanted) = self.admission.put(environment) {
            return unwanted.terminate();
        }
        // Checked after `put`: an earlier update has retired this generation before the environment was in
        // the pool; a later update will find it there.
        if !self.registry.is_current(&version) {
            self.retire(&version);
        }
    }
}

#[cfg(test)]
mod tests;
