//! Acquires an environment: takes an idle one, or starts one and waits for its init.

use std::sync::Arc;
use std::time::Duration;

use lambd_engine::pool::Leased;
use lambd_engine::scaler::Throttle;
use lambd_model::Version;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::active::StartInfo;
use super::admission::Admission;
use super::{Dispatcher, Invocation, InvocationResult, InvokeError};
use crate::environment::failure::InvocationFailure;
use crate::environment::launch::EnvironmentStartError;
use crate::environment::{Environment, EnvironmentStart, Initialization};
use crate::packages::{Package, PackageLimits};
use crate::platform_log::{Lines, Report, Status};
use crate::runtimes::Runtime;

/// An on-demand init has 10 s; if it fails, it is repeated within the invocation [fact:init-timeout].
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// The result of acquiring an environment.
pub(super) enum Acquired {
    /// An environment that waits for an event.
    Ready { environment: Box<Environment>, start: StartInfo },
    /// Init has failed twice: this is the answer of the invocation.
    Failed(InvocationResult),
}

impl Acquired {
    fn ready(environment: Environment, is_warm: bool, init: Option<Duration>, at: Instant) -> Self {
        Self::Ready { environment: Box::new(environment), start: StartInfo { is_warm, init, at } }
    }
}

impl Dispatcher {
    pub(super) async fn acquire(
        &self,
        version: &Arc<Version>,
        invocation: &Invocation,
        provisioned: Option<Box<Leased<Environment>>>,
    ) -> Result<Acquired, InvokeError> {
        let mut provisioned = provisioned.map(|leased| *leased);
        while let Some(leased) = provisioned.take().or_else(|| self.admission.take(version.generation)) {
            let mut environment = match leased {
                Leased::Thawed(environment) => environment,
                Leased::Frozen(environment) => {
                    environment.thaw();
                    environment
                }
            };
            if environment.is_alive() && !environment.has_old_keys() {
                return Ok(Acquired::ready(environment, true, None, Instant::now()));
            }
            // Its last output may say why it ended.
            environment.terminate();
        }
        self.cold_start(version, invocation).await
    }

    async fn cold_start(
        &self,
        version: &Arc<Version>,
        invocation: &Invocation,
    ) -> Result<Acquired, InvokeError> {
        let asked = Instant::now();
        let mut first = self.launch(version, Initialization::OnDemand).await?;
        let launched = asked.elapsed();
        match first.init(INIT_LIMIT, &invocation.request_id).await {
            Ok(init) => {
                let (launch_us, init_us) = (launched.as_micros(), init.as_micros());
                tracing::debug!(function = version.function.name, launch_us, init_us, "cold start");
                Ok(Acquired::ready(first, false, Some(init), Instant::now()))
            }
            Err(failure) => {
                first.kill();
                report_init(&mut first, Initialization::OnDemand, &failure.status).await;
                drop(first);
                self.suppressed_init(version, invocation, failure).await
            }
        }
    }

    /// The second init uses the function's own timeout, and its failure is that of the invocation. If only
    /// the first one was reported by the runtime, that report is the payload [fact:init-error-body].
    async fn suppressed_init(
        &self,
        version: &Arc<Version>,
        invocation: &Invocation,
        first: InvocationFailure,
    ) -> Result<Acquired, InvokeError> {
        let mut environment = self.launch(version, Initialization::Repeated).await?;
        let started = Instant::now();
        if invocation.tail {
            environment.output.record_tail();
        }
        let limit = timeout_of(version);
        let failure = match environment.init(limit, &invocation.request_id).await {
            Ok(_) => return Ok(Acquired::ready(environment, false, None, started)),
            Err(failure) if first.reported && !failure.reported => first,
            Err(failure) => failure,
        };
        let used_bytes = environment.memory_peak_bytes();
        environment.kill();
        report_init(&mut environment, Initialization::Repeated, &failure.status).await;
        let report = Report {
            duration: environment.age(),
            init: None,
            memory_mib: version.configuration.memory_mib,
            used_bytes,
            status: failure.status,
        };
        let output = &mut environment.output;
        let lines = Lines(&version.configuration.logging);
        let start = lines.start(&invocation.request_id, &version.qualifier);
        output.conclude(start.into_iter().chain(lines.finish(&invocation.request_id, &report))).await;
        let tail = super::active::finish_tail(output);
        Ok(Acquired::Failed(InvocationResult { payload: failure.payload, is_error: true, tail }))
    }

    /// Starts a sandbox.
    pub(super) async fn launch(
        &self,
        version: &Arc<Version>,
        initialization: Initialization,
    ) -> Result<Environment, InvokeError> {
        let config = &version.configuration;
        let reservation = Admission::reserve_memory(&self.admission, &version.function, config.memory_mib)
            .map_err(|refusal| {
                self.tell_operator(refusal, config.memory_mib);
                InvokeError::Refused(refusal)
            })?;
        let (runtime, package, layers) = self.load(version).await?;
        let descriptors = self.descriptors()?;
        let version = Arc::clone(version);
        let reservation = Box::new(reservation);
        let start = EnvironmentStart {
            version,
            runtime: &runtime,
            package,
            layers,
            reservation,
            descriptors,
            initialization,
        };
        Environment::start(start, &self.launching, &self.logs).await.map_err(|error| match error {
            EnvironmentStartError::Descriptors => self.out_of_descriptors(),
            error => InvokeError::Start(error),
        })
    }

    /// Takes the descriptors of a new environment; ends idle ones if too few are left.
    fn descriptors(&self) -> Result<OwnedSemaphorePermit, InvokeError> {
        loop {
            if let Some(descriptors) = self.launching.descriptors.take() {
                return Ok(descriptors);
            }
            let evicted = self.admission.with(|state, _| state.pool.evict(1));
            if evicted.is_empty() {
                return Err(self.out_of_descriptors());
            }
            evicted.into_iter().for_each(Environment::terminate);
        }
    }

    fn out_of_descriptors(&self) -> InvokeError {
        self.launching.descriptors.tell_refused();
        InvokeError::Refused(Throttle::Descriptors)
    }

    /// Reads what the version needs from the disk, on a thread that may block.
    async fn load(&self, version: &Version) -> Result<(Arc<Runtime>, Package, Option<Package>), InvokeError> {
        let (catalog, packages) = (Arc::clone(&self.catalog), Arc::clone(&self.packages));
        let (name, sha256) = (version.configuration.runtime.clone(), version.configuration.code.sha256);
        let layers = version.configuration.layer_packages();
        let load = move || {
            let runtime = catalog.find(&name).map_err(InvokeError::Runtime)?;
            let runtime = runtime.ok_or(InvokeError::NoRuntime(name))?;
            let package = packages.get(sha256).map_err(InvokeError::Package)?;
            let layers = packages.merge(&layers, &PackageLimits::default()).map_err(InvokeError::Package)?;
            Ok((runtime, package, layers))
        };
        tokio::task::spawn_blocking(load).await.map_err(|_| InvokeError::Interrupted)?
    }

    /// Callers see a full host as used up concurrency. The operator's log says which limit it was, once a
    /// minute at most.
    fn tell_operator(&self, refusal: Throttle, wanted_mib: u32) {
        if refusal != Throttle::Memory {
            return;
        }
        let budget_mib = self.admission.with(|state, _| state.scaler.host_memory_mib());
        self.memory_remark.make(|| {
            tracing::warn!(
                wanted_mib,
                budget_mib,
                "refused to start an execution environment: the memory for all of them is used up (setting \
                 host_memory_mib)"
            );
        });
    }
}

pub(super) async fn report_init(
    environment: &mut Environment,
    initialization: Initialization,
    status: &Status,
) {
    let (kind, phase) = (initialization.name(), initialization.phase());
    let lines = Lines(&environment.version.configuration.logging);
    let line = lines.init_report(environment.age(), kind, phase, status);
    environment.output.conclude(line).await;
}

fn timeout_of(version: &Version) -> Duration {
    Duration::from_secs(u64::from(version.configuration.timeout_s))
}
