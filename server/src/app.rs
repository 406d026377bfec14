//! The composed server: all its parts, shared by all requests.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use lambd_auth::{AccessRules, CallerPrincipal, Credentials, Keyring, SessionKey, Signer, Verifier};
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
use crate::object_store::ObjectStore;
use crate::packages::{Collector, Packages};
use crate::registry::Registry;
use crate::resources::Resources;
use crate::runtimes::Catalog;

/// Path under which packages are downloaded; see [`App::code_location`].
pub const CODE_PATH: &str = "/_lambd/code/";
/// How long a `Code.Location` works, in seconds [fact:code-location-life].
const CODE_LOCATION_S: u32 = 600;

/// The user of everybody when signatures are not checked; the profile of the server's own keys has this name, too.
const OWN_USER: &str = "default";
/// Memory for packages that are being received, all together, MiB: two of the largest.
const PACKAGES_MIB: u32 = 140;
/// Memory for the bodies of all other requests together, MiB. Most of it is for events.
const EVENTS_MIB: u32 = 512;
/// How long a body may make no progress before it is refused.
const BODY_STALL: Duration = Duration::from_secs(30);
/// Environments that a function may start at once; with [`REFILL_PER_S`] 1,000 every 10 s, as on AWS.
const BURST: u32 = 1000;
/// Further environments that a function may start each second.
const REFILL_PER_S: u32 = 100;

/// The inputs of a server: settings, and what was opened for it before.
#[derive(Debug)]
pub struct Parts {
    /// Settings, checked.
    pub config: Config,
    /// The store of its state.
    pub store: Arc<dyn Store>,
    /// Starts its sandboxes.
    pub launch: Arc<dyn Launch>,
    /// The keys whose requests it accepts.
    pub keys: Keyring,
    /// Policies, and the roles that have one.
    pub access: AccessRules,
    /// The key for temporary keys.
    pub sessions: SessionKey,
    /// Where code is that is not in a request.
    pub objects: Option<ObjectStore>,
    /// The absolute path of the data directory, for the launcher and for messages.
    pub data_dir: PathBuf,
    /// The path by which this process reaches the data directory.
    pub reached: PathBuf,
}

/// All parts that a request may need.
#[derive(Debug)]
pub struct App {
    /// Settings as they were at the start.
    pub config: Config,
    /// All functions.
    pub registry: Arc<Registry>,
    /// Resources that belong to no single function.
    pub resources: Resources,
    /// The packages of all functions.
    pub packages: Arc<Packages>,
    /// Where code is that is not in a request.
    pub objects: Option<ObjectStore>,
    /// Collects packages; asked when a change may have left one without a function.
    pub collector: Collector,
    /// The installed runtimes.
    pub catalog: Arc<Catalog>,
    /// Runs invocations.
    pub dispatcher: Arc<Dispatcher>,
    /// Stores and reads log events.
    pub logs: Arc<Logs>,
    /// Bounds the memory of requests with packages, which is used until the package is stored.
    pub package_gate: Gate,
    /// Bounds the memory of all other requests; an event uses it for as long as its invocation runs.
    pub event_gate: Gate,
    /// Who may call, with which rights.
    pub verifier: Verifier,
    /// Whether signatures are checked. If not, everybody is [`Self::own_user`].
    pub checks_signatures: bool,
    /// The user of the server's own keys, who may do everything.
    pub own_user: Arc<CallerPrincipal>,
    /// The server's own keys, which sign download addresses.
    pub credentials: Credentials,
}

impl App {
    /// Reads the stored state and puts the parts together. Only the writer of the logs runs afterwards.
    ///
    /// # Errors
    /// A part of the data directory that cannot be read, with its path.
    pub async fn compose(parts: Parts) -> Result<Self> {
        let Parts { config, store, launch, keys, access, sessions, objects, data_dir, reached } = parts;
        let account = config.account_id.as_str();
        let registry = Arc::new(Registry::open(Arc::clone(&store), account, config.concurrency_limit).await?);
        let resources = Resources::open(&store).await?;
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
            Launching { launch, root: data_dir, descriptors, sessions: sessions.clone() },
            logs.sink().clone(),
        );
        let verifier = Verifier::new(keys.keys(account), access, sessions)?;
        let own_user = Arc::new(CallerPrincipal::user(account, OWN_USER, None));
        let checks_signatures = config.auth == AuthMode::Sigv4;
        Ok(Self {
            config,
            registry,
            resources,
            packages,
            objects,
            collector: Collector::default(),
            catalog,
            dispatcher,
            logs,
            package_gate: Gate::new(PACKAGES_MIB, BODY_STALL),
            event_gate: Gate::new(EVENTS_MIB, BODY_STALL),
            verifier,
            checks_signatures,
            own_user,
            credentials: keys.own,
        })
    }

    /// Scheme and authority of the server in addresses for callers: those of the configuration, or those that a
    /// caller has used.
    pub fn public_origin<'a>(&'a self, endpoint: &'a str) -> &'a str {
        match self.config.public_endpoint.as_str() {
            "" => endpoint,
            public => public.trim_end_matches('/'),
        }
    }

    /// A presigned address: whoever has it can download the package for ten minutes.
    pub fn code_location(&self, endpoint: &str, region: &str, sha256: Sha256) -> String {
        let origin = self.public_origin(endpoint);
        let path = format!("{CODE_PATH}{}", sha256.hex());
        Signer::new(&self.credentials, region).presign("GET", origin, &path, CODE_LOCATION_S)
    }

    /// Removes packages that no function uses, each time that [`Self::collector`] is asked to. Never ends.
    pub async fn collect_packages(self: Arc<Self>) -> Infallible {
        let app = Arc::clone(&self);
        let live = move || {
            let mut live = app.registry.live_packages();
            live.extend(app.resources.live_packages());
            live
        };
        let packages = Arc::clone(&self.packages);
        let collect = move || match packages.collect(&live) {
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
