//! `lambd serve`: starts the server step by step, serves until a signal, then drains.

pub(super) mod data_dir;
mod instance;
mod privileges;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use lambd_sandbox::{Launcher, Shutdown};
use lambd_store::Store;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::privileges::{Kept, Privileged, Unprivileged};
use crate::app::Parts;
use crate::config::{Config, init_log};
use crate::environment::launch::LaunchHandle;
use crate::http;
use crate::server::Server;

/// How long the launcher may take to end everything that it started.
const LAUNCHER_TIMEOUT: Duration = Duration::from_secs(10);

/// The kind of database in which a server stores its state.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseKind {
    /// Refuses a data directory that visibly belongs to another program or a newer database. Called with
    /// privileges, before anything in the directory is altered: must neither alter nor parse anything.
    pub refuse_at_first_sight: fn(&Path) -> Result<()>,
    /// Opens the store of the data directory at the first path; messages name the second. May block.
    pub open: fn(&Path, &Path) -> Result<Arc<dyn Store>>,
}

/// Runs until SIGTERM or SIGINT, then drains. The store is opened after the privileges have been dropped.
///
/// # Errors
/// One line that names what failed: a setting or a path, with a remedy if there is one.
pub fn run(config: Config, database: DatabaseKind) -> Result<()> {
    init_log(config.log_format, config.log_level).context("cannot set up the log")?;
    // The lock is kept until the launcher has ended everything.
    let Unprivileged { kept, launcher, lock: _lock } =
        Privileged::prepare(&config, &database)?.start_launcher(&config)?.drop_privileges()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start")?;
    let (launcher, served) = runtime.block_on(serve(config, database, kept, launcher));
    runtime.shutdown_timeout(Duration::from_secs(1));
    // Also after a start that was refused: what the launcher made ahead of time is removed.
    let ended = launcher.map(|launcher| launcher.shutdown(LAUNCHER_TIMEOUT));
    served?;
    anyhow::ensure!(
        ended.is_none_or(|ended| ended == Shutdown::Complete),
        "the launcher did not end in time"
    );
    Ok(())
}

/// Serves, and gives the launcher back, unless that is lost.
async fn serve(
    config: Config,
    database: DatabaseKind,
    kept: Kept,
    launcher: Launcher,
) -> (Option<Launcher>, Result<()>) {
    let pid = launcher.pid();
    let (launch, thread) = match LaunchHandle::spawn(launcher) {
        Ok(spawned) => spawned,
        Err(error) => return (None, Err(error).context("cannot start a thread")),
    };
    let served = serve_until_signal(config, database, kept, launch, pid).await;
    (join(thread).await, served)
}

async fn serve_until_signal(
    config: Config,
    database: DatabaseKind,
    kept: Kept,
    launch: LaunchHandle,
    launcher_pid: u32,
) -> Result<()> {
    let Kept { root, listener, keys, access, sessions, objects, mut endpoint } = kept;
    let address = listener.local_addr().context("cannot read the listener's address")?;
    let listener = tokio::net::TcpListener::from_std(listener).context("cannot take over the listener")?;
    let reached = PathBuf::from(".");
    // Opening the store may block, because nothing else runs yet.
    let store = (database.open)(&reached, &root)?;
    let in_root = format!("in data directory {}", root.display());
    let parts = Parts {
        config,
        store,
        launch: Arc::new(launch),
        keys,
        access,
        sessions,
        objects,
        data_dir: root,
        reached,
    };
    let running = Server::build(parts).await.context(in_root)?.spawn(listener);
    let written = endpoint.set_len(0).and_then(|()| writeln!(endpoint, "{}", url(address)));
    written.with_context(|| format!("cannot write {}", data_dir::ENDPOINT))?;
    // Signals are caught before anybody learns that the server serves, and may end it.
    let mut signals = Signals::new()?;
    announce(address)?;
    let launcher_gone = tokio::select! {
        () = signals.next() => false,
        ended = child_ended(launcher_pid) => ended.map(|()| true)?,
    };
    // Without its launcher the server cannot run anything. A restart makes a new one.
    anyhow::ensure!(!launcher_gone, "the launcher has ended unexpectedly, and its sandboxes with it");
    http::notify::stopping();
    running.drain(signals.next()).await;
    Ok(())
}

/// Says on standard output and to systemd that the server serves; warns if other machines can reach it.
fn announce(address: SocketAddr) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {}", url(address)).and_then(|()| out.flush()).context("cannot write")?;
    http::notify::ready();
    if !address.ip().is_loopback() {
        tracing::warn!(
            %address,
            "the API is reached over plain HTTP from other machines: code, variables and results can be read on \
             the network; put a proxy with TLS in front, or listen on a loopback address"
        );
    }
    Ok(())
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// SIGTERM and SIGINT; they are caught while this value lives.
struct Signals {
    term: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        let term = signal(SignalKind::terminate()).context("cannot watch SIGTERM")?;
        let interrupt = signal(SignalKind::interrupt()).context("cannot watch SIGINT")?;
        Ok(Self { term, interrupt })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Completes when this child has ended, without reaping it.
async fn child_ended(pid: u32) -> Result<()> {
    let mut child = signal(SignalKind::child()).context("cannot watch SIGCHLD")?;
    let pid = Pid::from_raw(i32::try_from(pid).context("cannot watch the launcher")?);
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    while waitid(Id::Pid(pid), flags) == Ok(WaitStatus::StillAlive) {
        child.recv().await;
    }
    Ok(())
}

/// Waits until the thread ends, which it does with the last handle; a task that keeps one is not waited for.
async fn join(thread: std::thread::JoinHandle<Option<Launcher>>) -> Option<Launcher> {
    let joined = tokio::task::spawn_blocking(move || thread.join().ok().flatten());
    tokio::time::timeout(Duration::from_secs(2), joined).await.ok()?.ok()?
}
