//! Keeps provisioned environments: starts those that are missing, ends those that are not wanted any more.
//!
//! One task compares what is wanted with what is there whenever either changes, and at times without a reason. It
//! reads the registry anew each time, so that no order of changes can mislead it. Environments that are started
//! together serve when all of them are ready [fact:provisioned-start].

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use lambd_engine::pool::Leased;
use lambd_engine::scaler::Throttle;
use lambd_model::{Function, Version};
use tokio::time::timeout;
use uuid::Uuid;

use super::acquire::report_init;
use super::admission::ProvisionedSlot;
use super::{Dispatcher, InvokeError};
use crate::environment::{Environment, Initialization};
use crate::platform_log::Status;

/// The init of a provisioned environment has this long, or the function's timeout if that is longer
/// [fact:provisioned-init].
const INIT_SECONDS: std::ops::RangeInclusive<u64> = 130..=900;
/// Environments of one generation that are started at the same time: enough to use all CPUs of a host, and few
/// enough to leave others their turn at the launcher.
const STARTS_MAX: usize = 8;
/// How often idle environments are looked at that may have ended by themselves, and failed starts are repeated.
const CHECK_PERIOD: Duration = Duration::from_secs(5);
/// An environment that ends by itself so soon after its start is not replaced at once, but as after a failed start:
/// the next one would most likely end, too.
const AGE_MIN: Duration = Duration::from_secs(10);
/// `StatusReason` of a function that cannot be initialised [fact:provisioned-answers].
const INIT_FAILURE: &str = "FUNCTION_ERROR_INIT_FAILURE";
/// `StatusReason` of a function whose environments end before they serve.
const ENDED: &str = "The function's runtime ended after its initialization.";

/// How far the provisioned concurrency of a version or an alias is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisionedStatus {
    /// Environments that can serve.
    pub allocated: u32,
    /// Those of them that are idle.
    pub available: u32,
    /// Whether that is all.
    pub allocation: Allocation,
}

/// Whether all that was requested is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allocation {
    /// Not yet.
    InProgress,
    /// All of it.
    Ready,
    /// Not all, because the last start failed for this reason. It is repeated now and then.
    Failed(Arc<str>),
}

impl Dispatcher {
    /// How far the provisioned concurrency of a qualifier is.
    pub fn provisioned(&self, function: &Function, qualifier: &str) -> ProvisionedStatus {
        let (mut allocated, mut available, mut requested, mut failure) = (0, 0, 0, None);
        self.admission.with(|state, _| {
            for (version, part) in function.provisioned_versions(qualifier) {
                requested += part;
                let idle = state.pool.idle_provisioned(version.generation);
                available += u32::try_from(idle).unwrap_or(u32::MAX).min(part);
                let Some(count) = state.provisions.count(version.generation) else { continue };
                allocated += count.ready.min(part);
                failure = failure.take().or_else(|| count.failure().cloned());
            }
        });
        let allocation = match failure {
            _ if requested > 0 && allocated == requested => Allocation::Ready,
            Some(reason) => Allocation::Failed(reason),
            None => Allocation::InProgress,
        };
        ProvisionedStatus { allocated, available, allocation }
    }

    /// Takes over provisioned concurrency that was put: what failed before is tried again at once.
    pub fn provision(&self, function: &Function) {
        self.admission.with(|state, _| {
            for qualifier in function.attached.provisioned.keys() {
                for (version, _) in function.provisioned_versions(qualifier) {
                    state.provisions.retry(version.generation);
                }
            }
        });
        self.reserve(&function.id);
    }

    /// Keeps as many provisioned environments as are wanted. Never returns.
    pub async fn keep_provisioned(self: Arc<Self>) -> Infallible {
        loop {
            self.compare();
            // The end of the time is as good a reason to look as a change.
            let _ = timeout(CHECK_PERIOD, self.admission.unprovided.notified()).await;
        }
    }

    fn compare(self: &Arc<Self>) {
        let wanted = self.wanted();
        let counts = wanted.iter().map(|(generation, (_, count))| (*generation, *count)).collect();
        let (gone, missing) = self.admission.with(|state, now| {
            let ended = |environment: &mut Environment| !environment.is_alive() || environment.has_old_keys();
            let mut gone = state.pool.remove_ended_provisioned(ended);
            for young in gone.iter().filter(|environment| environment.age() < AGE_MIN) {
                state.provisions.fail(young.version.generation, ENDED, now);
            }
            state.provisions.want(&counts);
            for (generation, excess) in state.provisions.excesses() {
                let idle = (0..excess).map_while(|_| state.pool.take_provisioned(generation));
                gone.extend(idle.map(|(Leased::Thawed(idle) | Leased::Frozen(idle))| idle));
            }
            let starts = wanted
                .into_iter()
                .map(|(generation, (version, _))| (version, state.provisions.begin(generation, now)));
            (gone, starts.filter(|(_, missing)| *missing > 0).collect::<Vec<_>>())
        });
        gone.into_iter().for_each(Environment::terminate);
        for (version, count) in missing {
            let filling = Filling { dispatcher: Arc::clone(self), version, count };
            tokio::spawn(filling.fill());
        }
    }

    /// Every version that has provisioned environments, with their number, by generation.
    fn wanted(&self) -> HashMap<Uuid, (Arc<Version>, u32)> {
        let mut wanted: HashMap<Uuid, (Arc<Version>, u32)> = HashMap::new();
        for function in self.registry.all() {
            for qualifier in function.attached.provisioned.keys() {
                for (version, part) in function.provisioned_versions(qualifier) {
                    wanted.entry(version.generation).or_insert((version, 0)).1 += part;
                }
            }
        }
        wanted
    }

    async fn start_provisioned(&self, version: &Arc<Version>) -> Result<Environment, String> {
        if let Some(obstacle) = version.configuration.obstacle() {
            return Err(obstacle.to_string());
        }
        let mut environment = self
            .launch(version, Initialization::Provisioned)
            .await
            .map_err(|error| reason(&error, version))?;
        let timeout_s = u64::from(version.configuration.timeout_s);
        let limit = Duration::from_secs(timeout_s.clamp(*INIT_SECONDS.start(), *INIT_SECONDS.end()));
        match environment.init(limit, &Uuid::new_v4().to_string()).await {
            Ok(_) => {
                report_init(&mut environment, Initialization::Provisioned, &Status::Success).await;
                Ok(environment)
            }
            Err(failure) => {
                environment.kill();
                report_init(&mut environment, Initialization::Provisioned, &failure.status).await;
                Err(INIT_FAILURE.to_owned())
            }
        }
    }
}

/// Environments of one version that are being started; counted as that until it is dropped.
struct Filling {
    dispatcher: Arc<Dispatcher>,
    version: Arc<Version>,
    count: u32,
}

impl Filling {
    /// Starts all of them; if one fails, none of the others serves. The first is started alone, so that a function
    /// that cannot be initialised is not started many times.
    async fn fill(self) {
        let (mut ready, mut at_once) = (Vec::new(), 1);
        while ready.len() < self.count as usize && self.is_wanted() {
            let rest = self.count as usize - ready.len();
            let starts = (0..rest.min(at_once)).map(|_| self.dispatcher.start_provisioned(&self.version));
            let (started, failed): (Vec<_>, Vec<_>) =
                join_all(starts).await.into_iter().partition(Result::is_ok);
            ready.extend(started.into_iter().filter_map(Result::ok));
            if let Some(reason) = failed.into_iter().find_map(Result::err) {
                ready.into_iter().for_each(Environment::terminate);
                let generation = self.version.generation;
                self.dispatcher.admission.with(|state, now| state.provisions.fail(generation, &reason, now));
                return;
            }
            at_once = STARTS_MAX;
        }
        ready.into_iter().for_each(|environment| self.provide(environment));
    }

    /// Whether the version has still to have provisioned environments.
    fn is_wanted(&self) -> bool {
        let generation = self.version.generation;
        self.dispatcher
            .admission
            .with(|state, _| state.provisions.count(generation).is_some_and(|c| c.wanted > 0))
    }

    fn provide(&self, mut environment: Environment) {
        match ProvisionedSlot::take(&self.dispatcher.admission, &self.version) {
            Some(slot) => {
                environment.provide(Box::new(slot));
                self.dispatcher.give_back(environment);
            }
            // It was deleted or changed since, or the server is ending.
            None => environment.terminate(),
        }
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        let (admission, generation) = (&self.dispatcher.admission, self.version.generation);
        admission.with(|state, _| state.provisions.settle(generation, self.count));
        // More may be wanted since.
        admission.unprovided.notify_one();
    }
}

/// `StatusReason` of an environment that could not be started; the cause of our own faults goes to the server's log.
fn reason(error: &InvokeError, version: &Version) -> String {
    let text = match error {
        InvokeError::Refused(Throttle::Memory | Throttle::Descriptors) => {
            "The server has no room for another execution environment."
        }
        InvokeError::Refused(_) => "The function starts execution environments too fast.",
        InvokeError::NoRuntime(_) => "The function's runtime is not installed.",
        other => {
            let (function, qualifier) = (&version.function.name, &version.qualifier);
            let error = other as &dyn std::error::Error;
            tracing::error!(function, qualifier, error, "cannot start a provisioned environment");
            "The server cannot start an execution environment; see its log."
        }
    };
    text.to_owned()
}
