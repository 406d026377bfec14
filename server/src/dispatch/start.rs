//! Lease an idle environment, or start one and see it through its init.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::grant::Core;
use super::lines::{Lines, Report, Status};
use super::{Answer, Dispatcher, Invocation, InvokeError};
use crate::environment::fault::Fault;
use crate::environment::launch::StartError;
use crate::environment::{Environment, Start};
use crate::model::Function;
use crate::scaler::Refusal;

/// On-demand init has 10 s; one that fails is run again inside the invocation (lambda.md C7).
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// What a lease came to.
pub(super) enum Leased {
    /// An environment that waits for an event.
    Ready {
        environment: Box<Environment>,
        /// Init time of a cold start, for its REPORT.
        init: Option<Duration>,
        /// When the invocation's time began: with a suppressed init, before it.
        begun: Instant,
    },
    /// Init failed twice: the invocation is over.
    Failed(Answer),
}

impl Dispatcher {
    pub(super) async fn lease(
        &self,
        function: &Arc<Function>,
        invocation: &Invocation,
    ) -> Result<Leased, InvokeError> {
        while let Some((mut environment, frozen)) = self.core.take(&function.key, function.latest.generation)
        {
            if frozen {
                environment.thaw();
            }
            if environment.is_alive() {
                let begun = Instant::now();
                return Ok(Leased::Ready { environment: Box::new(environment), init: None, begun });
            }
        }
        self.cold_start(function, invocation).await
    }

    async fn cold_start(
        &self,
        function: &Arc<Function>,
        invocation: &Invocation,
    ) -> Result<Leased, InvokeError> {
        let asked = Instant::now();
        let mut first = self.launch(function).await?;
        let launched = asked.elapsed();
        match first.init(INIT_LIMIT, &invocation.request_id).await {
            Ok(init) => {
                let (launch_us, init_us) = (launched.as_micros(), init.as_micros());
                tracing::debug!(function = function.key.name, launch_us, init_us, "cold start");
                let begun = Instant::now();
                Ok(Leased::Ready { environment: Box::new(first), init: Some(init), begun })
            }
            Err(fault) => {
                first.kill();
                report_init(&mut first, "init", &fault.status).await;
                drop(first);
                self.suppressed_init(function, invocation, fault).await
            }
        }
    }

    /// The second init runs on the function's own time, and its failure is the invocation's. An error that the
    /// runtime reported only the first time is still the payload (lambda.md A5).
    async fn suppressed_init(
        &self,
        function: &Arc<Function>,
        invocation: &Invocation,
        first: Fault,
    ) -> Result<Leased, InvokeError> {
        let begun = Instant::now();
        let mut environment = self.launch(function).await?;
        if invocation.tail {
            environment.output.record_tail();
        }
        let limit = timeout_of(function);
        let fault = match environment.init(limit, &invocation.request_id).await {
            Ok(_) => return Ok(Leased::Ready { environment: Box::new(environment), init: None, begun }),
            Err(fault) if first.reported && !fault.reported => first,
            Err(fault) => fault,
        };
        let used_bytes = environment.memory_peak_bytes();
        environment.kill();
        report_init(&mut environment, "invoke", &fault.status).await;
        let report = Report {
            duration: environment.age(),
            init: None,
            memory_mib: function.latest.memory_mib,
            used_bytes,
            status: fault.status,
        };
        let output = &mut environment.output;
        let lines = Lines(&function.latest.logging);
        let start = lines.start(&invocation.request_id, super::run::VERSION);
        let all = start.into_iter().chain(lines.finish(&invocation.request_id, &report));
        all.for_each(|line| output.line(line));
        output.flush().await;
        let tail = super::run::finish_tail(output);
        Ok(Leased::Failed(Answer { payload: fault.payload, is_error: true, tail }))
    }

    async fn launch(&self, function: &Arc<Function>) -> Result<Environment, InvokeError> {
        let config = &function.latest;
        let runtime = self.catalog.find(&config.runtime).map_err(InvokeError::Runtime)?;
        let runtime = runtime.ok_or_else(|| InvokeError::NoRuntime(config.runtime.clone()))?;
        let grant =
            Core::grant(&self.core, &function.key, config.memory_mib).map_err(InvokeError::Refused)?;
        let (packages, sha256) = (Arc::clone(&self.packages), config.code.sha256);
        let package = tokio::task::spawn_blocking(move || packages.get(sha256)).await;
        let package = package.map_err(|_| InvokeError::Interrupted)?.map_err(InvokeError::Package)?;
        let descriptors = self.descriptors()?;
        let start = Start { function: Arc::clone(function), runtime: &runtime, package, grant, descriptors };
        Environment::start(start, &self.launching, &self.logs).await.map_err(|error| match error {
            StartError::Descriptors => self.out_of_descriptors(),
            error => InvokeError::Start(error),
        })
    }

    /// Descriptors for a new environment, ending idle ones for them.
    fn descriptors(&self) -> Result<OwnedSemaphorePermit, InvokeError> {
        loop {
            if let Some(descriptors) = self.launching.descriptors.take() {
                return Ok(descriptors);
            }
            let evicted = self.core.with(|state, _| state.pool.evict(1));
            if evicted.is_empty() {
                return Err(self.out_of_descriptors());
            }
        }
    }

    fn out_of_descriptors(&self) -> InvokeError {
        self.launching.descriptors.tell_refused();
        InvokeError::Refused(Refusal::Descriptors)
    }
}

async fn report_init(environment: &mut Environment, phase: &str, status: &Status) {
    environment.output.settle().await;
    let line = Lines(&environment.function.latest.logging).init_report(environment.age(), phase, status);
    environment.output.line(line);
    environment.output.flush().await;
}

fn timeout_of(function: &Function) -> Duration {
    Duration::from_secs(u64::from(function.latest.timeout_s))
}
