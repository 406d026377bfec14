//! The composed server: every part, shared by all requests.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use lambd_auth::{Credentials, Keyring, Signer, Verifier};
use lambd_engine::scaler::ScalerLimits;
use lambd_model::Sha256;
use lambd_store::Store;

use crate::config::{AuthMode, Config};
use crate::descriptors::{self, Descriptors, Shares};
use crate::dispatch::Dispatcher;
use crate::environment::Launching;
use crate::environment::launch::Launch;
use crate::http::Gate;
use crate::logs::{Logs, Retention};
use crate::packages::{Collector, Packages};
use crate::registry::Registry;
use crate::runtimes::Catalog;

/// Path under which packages are downloaded; see [`App::code_location`].
pub const CODE_PATH: &str = "/_lambd/code/";
/// How long a `Code.Location` works, in seconds [fact:code-location-life].
const CODE_LOCATION_S: u32 = 600;

/// Memory that packages on their way in may take together, MiB: two of the largest.
const PACKAGES_MIB: u32 = 140;
/// Memory that the bodies of all other requests may take together, MiB: events above all.
const EVENTS_MIB: u32 = 512;
/// How long a body may make no progress.
const BODY_STALL: Duration = Duration::from_secs(30);
/// Environments that a function may start at once, and how many more each second: 1,000 every 10 s, as on AWS.
const BURST: u32 = 1000;
/// See [`BURST`].
const REFILL_PER_S: u32 = 100;

/// What a server is composed of: what differs from one to the other, and what was made for it beforehand.
#[derive(Debug)]
pub struct Parts {
    /// Its settings.
    pub config: Config,
    /// Its durable state.
    pub store: Arc<dyn Store>,
    /// Where its sandboxes come from.
    pub launch: Arc<dyn Launch>,
    /// Whose requests it answers.
    pub keys: Keyring,
    /// The data directory as the launcher knows it, absolute.
    pub data_dir: PathBuf,
    /// The same as this process reaches it.
    pub reached: PathBuf,
}

/// Everything that a request may need.
#[derive(Debug)]
pub struct App {
    /// Settings as read at the start.
    pub config: Config,
    /// Functions.
    pub registry: Arc<Registry>,
    /// Their packages.
    pub packages: Arc<Packages>,
    /// Asked when a package may be named by no function any more.
    pub collector: Collector,
    /// Installed runtimes.
    pub catalog: Arc<Catalog>,
    /// Invocations.
    pub dispatcher: Arc<Dispatcher>,
    /// Log events.
    pub logs: Arc<Logs>,
    /// Bounds the memory of requests with packages, which are held until the package is stored.
    pub package_gate: Gate,
    /// Bounds the memory of all others: of events, which are held for as long as their invocation runs.
    pub event_gate: Gate,
    /// `None` when signatures are not checked.
    pub verifier: Option<Verifier>,
    /// The server's own keys, to sign download addresses.
    pub credentials: Credentials,
}

impl App {
    /// Reads what is stored and puts the parts together. Nothing runs yet but the writer of the logs.
    ///
    /// # Errors
    /// What of the data directory cannot be read, by its name.
    pub async fn compose(parts: Parts) -> Result<Self> {
        let Parts { config, store, launch, keys, data_dir, reached } = parts;
        let account = config.account_id.as_str();
        let registry = Arc::new(Registry::open(Arc::clone(&store), account, config.concurrency_limit).await?);
        let logs = Arc::new(Logs::start(store, account, retention(&config)).await?);
        let packages = Arc::new(Packages::open(&reached)?);
        let catalog = Arc::new(Catalog::new(&reached));
        let files = descriptors::limit();
        let descriptors = Descriptors::new(Shares::of(files).environments, files);
        let dispatcher = Dispatcher::new(
            limits(&config),
            Arc::clone(&registry),
            Arc::clone(&packages),
            Arc::clone(&catalog),
            Launching { launch, root: data_dir, descriptors },
            logs.sink().clone(),
        );
        let checks = config.auth == AuthMode::Sigv4;
        let verifier = checks.then(|| Verifier::new(keys.keys(account)));
        Ok(Self {
            config,
            registry,
            packages,
            collector: Collector::default(),
            catalog,
            dispatcher,
            logs,
            package_gate: Gate::new(PACKAGES_MIB, BODY_STALL),
            event_gate: Gate::new(EVENTS_MIB, BODY_STALL),
            verifier,
            credentials: keys.own,
        })
    }

    /// An address that gives a package to whoever holds it, for ten minutes.
    pub fn code_location(&self, endpoint: &str, region: &str, sha256: Sha256) -> String {
        let origin = match self.config.public_endpoint.as_str() {
            "" => endpoint,
            public => public.trim_end_matches('/'),
        };
        let path = format!("{CODE_PATH}{}", sha256.hex());
        Signer { credentials: &self.credentials, region, now: SystemTime::now() }.presign(
            "GET",
            origin,
            &path,
            CODE_LOCATION_S,
        )
    }

    /// Removes packages that no function names any more whenever [`Self::collector`] is asked to. Never ends.
    pub async fn collect_packages(self: Arc<Self>) -> Infallible {
        let (packages, registry) = (Arc::clone(&self.packages), Arc::clone(&self.registry));
        let collect = move || match packages.collect(|| registry.live_packages()) {
            Ok(0) => {}
            Ok(removed) => tracing::debug!(removed, "collected packages"),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot collect packages");
            }
        };
        self.collector.run(collect).await
    }
}

fn retention(config: &Config) -> Retention {
    Retention {
        age_max: Duration::from_secs(u64::from(config.logs_retention_days) * 24 * 3600),
        group_bytes_max: u64::from(config.logs_group_mib) << 20,
    }
}

const fn limits(config: &Config) -> ScalerLimits {
    ScalerLimits {
        account_concurrency: config.concurrency_limit,
        burst: BURST,
        refill_per_s: REFILL_PER_S,
        host_memory_mib: config.host_memory_mib,
    }
}
