//! The composed server: every part, shared by all requests.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::SystemTime;

use lambd_auth::{Credentials, Signer, Verifier};
use lambd_model::Sha256;

use crate::config::Config;
use crate::dispatch::Dispatcher;
use crate::http::Gate;
use crate::logs::Logs;
use crate::packages::{Collector, Packages};
use crate::registry::Registry;
use crate::runtimes::Catalog;

/// Path under which packages are downloaded; see [`App::code_location`].
pub const CODE_PATH: &str = "/_lambd/code/";
/// How long a `Code.Location` works, in seconds [fact:code-location-life].
const CODE_LOCATION_S: u32 = 600;

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
