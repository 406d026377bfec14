//! `lambd serve`: read the configuration, start the launcher, give up privileges, compose, serve, drain.

mod instance;
mod prepare;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use lambd_auth::Verifier;
use lambd_sandbox::{Launcher, Shutdown};
use lambd_store::Store;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use self::prepare::Prepared;
use crate::app::App;
use crate::config::{AuthMode, Config, init_log};
use crate::descriptors::{Descriptors, Shares};
use crate::dispatch::Dispatcher;
use crate::environment::Launching;
use crate::environment::launch::LaunchHandle;
use crate::http::{ConnectionLimits, Drained, Gate};
use crate::logs::{Logs, Retention};
use crate::packages::{Collector, Packages};
use crate::registry::Registry;
use crate::runtimes::Catalog;
use crate::{api, descriptors, gateway, http};

/// The file of the data directory that tells `lambd logs` where the server is.
pub(super) const ENDPOINT_FILE: &str = "endpoint";
/// Memory that packages on their way in may take together, MiB: two of the largest.
const PACKAGES_MIB: u32 = 140;
/// Memory that the bodies of all other requests may take together, MiB: events above all.
const EVENTS_MIB: u32 = 512;
/// How long a body may make no progress.
const BODY_STALL: Duration = Duration::from_secs(30);
/// What invocations get at the least after the last connection.
const DRAIN_LEFT_MIN: Duration = Duration::from_secs(1);
/// What the launcher gets to end everything it started.
const LAUNCHER_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens the store of a data directory; may block.
pub type OpenStore = fn(&Path) -> Result<Arc<dyn Store>>;

/// Runs until SIGTERM or SIGINT, then drains. The store is opened when privileges are given up.
///
/// # Errors
/// One line that names what failed, and the setting or path and the remedy where there is one.
pub fn run(config: Config, open_store: OpenStore) -> Result<()> {
    init_log(config.log_format, config.log_level).context("failed to set up the log")?;
    // As root and before any thread: what needs privileges, and what must fail before anything is changed.
    let mut prepared = prepare::prepare(&config)?;
    let launcher = prepared.start_launcher(&config)?;
    prepared.drop_privileges()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("failed to start")?;
    let launcher = runtime.block_on(serve(config, open_store, &mut prepared, launcher))?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    if let Some(launcher) = launcher {
        anyhow::ensure!(
            launcher.shutdown(LAUNCHER_TIMEOUT) == Shutdown::Complete,
            "the launcher did not end in time"
        );
    }
    Ok(())
}

async fn serve(
    config: Config,
    open_store: OpenStore,
    prepared: &mut Prepared,
    launcher: Launcher,
) -> Result<Option<Launcher>> {
    let listener = prepared.listener.take().context("the listener was taken before")?;
    let address = listener.local_addr().context("failed to read the listener's address")?;
    let listener = tokio::net::TcpListener::from_std(listener).context("failed to take over the listener")?;
    let launcher_pid = launcher.pid();
    let (launch, launcher_thread) = LaunchHandle::spawn(launcher).context("failed to start a thread")?;
    let app = compose(config, open_store, prepared, launch).await?;
    api::activate_pending(&app);
    let keep_alive = Duration::from_secs(app.config.environment_idle_s);
    let idle = tokio::spawn(Arc::clone(&app.dispatcher).manage_idle(keep_alive));
    let collect = tokio::spawn(Arc::clone(&app).collect_packages());
    app.collector.ask();

    let drain_timeout = Duration::from_secs(app.config.drain_timeout_s);
    let (begin_drain, draining) = tokio::sync::oneshot::channel::<()>();
    let until_drain = async move {
        let _ = draining.await;
    };
    let router = gateway::router(Arc::clone(&app));
    let limits = ConnectionLimits::of(Shares::of(descriptors::limit()).connections);
    let connections = http::serve_connections(listener, router, limits, until_drain, drain_timeout);
    let connections = tokio::spawn(connections);
    // Before anyone is told that the server serves: whoever reads that may end it at once.
    let mut signals = Signals::new()?;
    prepare::announce(address)?;
    if !address.ip().is_loopback() {
        tracing::warn!(
            %address,
            "the API is reached over plain HTTP from other machines: code, variables and results can be read on \
             the network; put a proxy with TLS in front, or listen on a loopback address"
        );
    }
    let launcher_gone = tokio::select! {
        () = signals.next() => false,
        ended = child_ended(launcher_pid) => ended.map(|()| true)?,
    };
    // Without its launcher the server can run nothing: a restart makes a new one.
    anyhow::ensure!(!launcher_gone, "the launcher has died; its sandboxes died with it");

    tracing::info!("draining");
    http::notify::stopping();
    drop(begin_drain);
    let abort = connections.abort_handle();
    tokio::select! {
        () = drain(&app, connections, drain_timeout) => {}
        () = signals.next() => {
            tracing::warn!("ending at a second signal, whatever still runs");
            abort.abort();
        }
    }
    idle.abort();
    collect.abort();
    let logs = Arc::clone(&app.logs);
    let _ = tokio::task::spawn_blocking(move || logs.stop()).await;
    drop(app);
    Ok(join(launcher_thread).await)
}

/// Lets requests and invocations end. Invocations outlive their callers, but not the drain.
async fn drain(app: &App, connections: JoinHandle<Drained>, limit: Duration) {
    let deadline = Instant::now() + limit;
    if let Ok(Drained::CutOff { connections }) = connections.await {
        tracing::warn!(connections, "requests were still running after the drain timeout");
    }
    let left = deadline.saturating_duration_since(Instant::now()).max(DRAIN_LEFT_MIN);
    let cut_off = app.dispatcher.drain(left).await;
    if cut_off > 0 {
        tracing::warn!(cut_off, "invocations were still running after the drain timeout");
    }
}

/// Every path is relative to the data directory, which is the working directory.
async fn compose(
    config: Config,
    open_store: OpenStore,
    prepared: &Prepared,
    launch: LaunchHandle,
) -> Result<Arc<App>> {
    let here = Path::new(".");
    // Nothing else runs yet that opening it could hold up.
    let store = open_store(here)?;
    let registry =
        Arc::new(Registry::open(Arc::clone(&store), &config.account_id, config.concurrency_limit).await?);
    let packages = Arc::new(Packages::open(here)?);
    let catalog = Arc::new(Catalog::new(here));
    let retention = Retention {
        age_max: Duration::from_secs(u64::from(config.logs_retention_days) * 24 * 3600),
        group_bytes_max: u64::from(config.logs_group_mib) << 20,
    };
    let logs = Arc::new(Logs::start(store, &config.account_id, retention).await?);
    let limits = lambd_engine::scaler::ScalerLimits {
        account_concurrency: config.concurrency_limit,
        burst: 1000,
        refill_per_s: 100,
        host_memory_mib: config.host_memory_mib,
    };
    let files = descriptors::limit();
    let descriptors = Descriptors::new(Shares::of(files).environments, files);
    let dispatcher = Dispatcher::new(
        limits,
        Arc::clone(&registry),
        Arc::clone(&packages),
        Arc::clone(&catalog),
        Launching { launch: Arc::new(launch), root: prepared.root.clone(), descriptors },
        logs.sink().clone(),
    );
    let credentials = prepared.keys.own.clone();
    let verifier =
        (config.auth == AuthMode::Sigv4).then(|| Verifier::new(prepared.keys.keys(&config.account_id)));
    let package_gate = Gate::new(PACKAGES_MIB, BODY_STALL);
    let event_gate = Gate::new(EVENTS_MIB, BODY_STALL);
    Ok(Arc::new(App {
        config,
        registry,
        packages,
        collector: Collector::default(),
        catalog,
        dispatcher,
        logs,
        package_gate,
        event_gate,
        verifier,
        credentials,
    }))
}

/// SIGTERM and SIGINT, which are caught while this lives.
struct Signals {
    term: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        let term = signal(SignalKind::terminate()).context("failed to watch SIGTERM")?;
        let interrupt = signal(SignalKind::interrupt()).context("failed to watch SIGINT")?;
        Ok(Self { term, interrupt })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Completes when this child has ended; it is left for its owner to reap.
async fn child_ended(pid: u32) -> Result<()> {
    let mut child = signal(SignalKind::child()).context("failed to watch SIGCHLD")?;
    let pid = Pid::from_raw(i32::try_from(pid).context("failed to watch the launcher")?);
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    while waitid(Id::Pid(pid), flags) == Ok(WaitStatus::StillAlive) {
        child.recv().await;
    }
    Ok(())
}

/// The thread ends when the last handle is gone; a task that still holds one is given up.
async fn join(thread: std::thread::JoinHandle<Option<Launcher>>) -> Option<Launcher> {
    let joined = tokio::task::spawn_blocking(move || thread.join().ok().flatten());
    tokio::time::timeout(Duration::from_secs(2), joined).await.ok()?.ok()?
}
