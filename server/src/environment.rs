//! One execution environment: a sandbox, its Runtime API session and its log, owned by one task at a time.
//!
//! Invariants: it belongs to one generation of one version for life; it holds at most one event; dropping it
//! ends its processes (the launcher sees the lifeline close). Nobody reads its output but the task that holds
//! it, so lines stay in order without a lock; while it is idle, output waits in the pipe, for the next invocation
//! or for [`Environment::terminate`].

pub mod failure;
pub mod launch;
pub mod output;
pub mod program;
mod spec;
mod variables;

use std::future::poll_fn;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lambd_engine::pool::Resident;
use lambd_model::{Version, clock};
use lambd_runtime_api::{Ready, Session, SessionConfig};
use lambd_sandbox::Exit;
use tokio::net::TcpListener;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use uuid::Uuid;

use crate::descriptors::Descriptors;
use crate::logs::{LogSink, group_key};
use crate::packages::Package;
use crate::runtimes::{Entrypoint, Runtime};
use failure::InvocationFailure;
use launch::{EnvironmentStartError, Launch, LaunchedSandbox};
use output::ProgramOutput;
use program::Program;

/// Connections to the Runtime API that one environment may hold.
const CONNECTIONS_MAX: usize = 16;

/// A living environment.
#[derive(Debug)]
pub struct Environment {
    /// What it was started from.
    pub version: Arc<Version>,
    /// Its log: platform lines go through it too, so that they keep their place.
    pub output: ProgramOutput,
    /// What was started.
    entrypoint: Entrypoint,
    /// The Runtime API side.
    pub session: Session,
    /// The server side of that API; ends with the session.
    _service: tokio::task::JoinHandle<()>,
    /// Dropping it is what ends the processes; what was set aside for them is given back behind it.
    program: Box<dyn Program>,
    started: Instant,
    /// Keeps the code from garbage collection.
    _package: Package,
    _reservation: Box<dyn Reservation>,
    _descriptors: OwnedSemaphorePermit,
}

/// Where sandboxes come from.
#[derive(Debug)]
pub struct Launching {
    /// The way to the launcher.
    pub launch: Arc<dyn Launch>,
    /// The data directory as the launcher knows it; the server's own paths are relative to it.
    pub root: PathBuf,
    /// What environments may take of this process's descriptors.
    pub descriptors: Descriptors,
}

/// What was set aside for an environment, memory above all, and is given back when it is dropped with it.
pub trait Reservation: std::fmt::Debug + Send + Sync {
    /// The environment is there: its start counts.
    fn started(&mut self);
}

/// What an environment is started with.
#[derive(Debug)]
pub struct EnvironmentStart<'a> {
    /// What is to run.
    pub version: Arc<Version>,
    /// Its runtime.
    pub runtime: &'a Runtime,
    /// Its code; pinned for as long as the environment lives.
    pub package: Package,
    /// What was set aside for it.
    pub reservation: Box<dyn Reservation>,
    /// The descriptors that it will take.
    pub descriptors: OwnedSemaphorePermit,
    /// Whether its init may use more CPU than the function's share: only a first one, which is cut off soon.
    pub boost: bool,
}

impl Environment {
    /// Starts a sandbox for the function; its init has then begun.
    pub async fn start(
        start: EnvironmentStart<'_>,
        launching: &Launching,
        logs: &LogSink,
    ) -> Result<Self, EnvironmentStartError> {
        let id = Uuid::new_v4().simple().to_string();
        let stream = format!("{}/[{}]{id}", clock::stream_date(clock::now_ms()), start.version.qualifier);
        let entrypoint = start.runtime.entrypoint(&start.package.code_dir, None);
        let spec = spec::build(&start, &entrypoint, &id, &stream, &launching.root);
        let EnvironmentStart { version, package, mut reservation, descriptors, .. } = start;
        let LaunchedSandbox { listener, output, program } = launching.launch.launch(spec).await?;
        // Waiting for the launcher was the server's time, not the function's.
        let started = Instant::now();
        reservation.started();
        let listener = TcpListener::from_std(listener)?;
        let (session, service) = Session::new(&SessionConfig {
            connections_max: CONNECTIONS_MAX,
            descriptors: Some(launching.descriptors.pool()),
        });
        let service = tokio::spawn(service.serve(listener));
        let group = group_key(&version.function, &version.configuration.logging.group);
        Ok(Self {
            output: ProgramOutput::new(output, logs.stream(&group, &stream))?,
            version,
            entrypoint,
            session,
            _service: service,
            program,
            started,
            _package: package,
            _reservation: reservation,
            _descriptors: descriptors,
        })
    }

    /// Waits for the end of init: the runtime's first `next`, or why it will not come, told for the request that
    /// waits for it. Takes at most `limit`. On success the CPU share of the function's memory takes effect.
    pub async fn init(&mut self, limit: Duration, request_id: &str) -> Result<Duration, InvocationFailure> {
        let deadline = tokio::time::sleep(limit);
        tokio::pin!(deadline);
        let failure = tokio::select! {
            biased;
            ready = self.session.ready() => match ready {
                Ready::Next => {
                    if let Err(error) = self.program.limit_cpu() {
                        tracing::warn!(%error, "cannot limit the CPU of an execution environment");
                    }
                    return Ok(self.started.elapsed());
                }
                Ready::InitError(error) => InvocationFailure::reported(error.body, error.error_type),
            },
            exit = wait_exit(&mut *self.program) => match exit {
                Exit::ExecFailed(errno) => InvocationFailure::entrypoint(request_id, &self.entrypoint.refused(errno)),
                exit => InvocationFailure::exit(request_id, &exit),
            },
            never = self.output.pump() => match never {},
            () = &mut deadline => InvocationFailure::timeout(request_id, self.version.configuration.timeout_s),
        };
        Err(failure)
    }

    /// Completes when the runtime process has ended.
    pub async fn exited(&mut self) -> Exit {
        wait_exit(&mut *self.program).await
    }

    /// Whether the runtime process is still there, without waiting.
    pub fn is_alive(&mut self) -> bool {
        use futures_util::FutureExt as _;
        wait_exit(&mut *self.program).now_or_never().is_none()
    }

    /// Ends its processes at once; what they printed can still be read.
    pub fn kill(&mut self) {
        self.program.kill();
    }

    /// Lets a frozen environment run again.
    pub fn thaw(&self) {
        if let Err(error) = self.program.thaw() {
            tracing::warn!(%error, "cannot thaw an execution environment");
        }
    }

    /// Highest memory use so far, bytes; 0 when the kernel does not tell. File cache, `/tmp` included, is no
    /// use of the function's own [fact:tmp-is-not-memory]: it is taken off where it filled the group, which is the
    /// only time it matters and the only time it is worth asking for. Out of memory means all of it
    /// [fact:out-of-memory].
    pub fn memory_peak_bytes(&self) -> u64 {
        let limit = u64::from(self.version.configuration.memory_mib) << 20;
        let peak = self.program.memory_peak_bytes().unwrap_or_default();
        if peak < limit / 10 * 9 {
            peak
        } else if self.program.oom_kills().unwrap_or_default() > 0 {
            limit
        } else {
            peak.saturating_sub(self.program.memory_cache_bytes().unwrap_or_default())
        }
    }

    /// Everything of the invocation that a `select!` needs at once.
    pub fn parts(&mut self) -> (&mut ProgramOutput, &Session, impl Future<Output = Exit>) {
        (&mut self.output, &self.session, wait_exit(&mut *self.program))
    }

    /// Ends it for good: its processes and its memory go at once, what it printed and nobody read follows into
    /// the log.
    pub fn terminate(self) {
        let log = self.terminating();
        drop(log);
    }

    /// As [`Self::terminate`], with the task that sees to the log: it ends soon, whatever the log does.
    pub fn terminating(self) -> tokio::task::JoinHandle<()> {
        let Self { output, .. } = self;
        tokio::spawn(output.close())
    }

    /// Since its program was started.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Resident for Environment {
    fn generation(&self) -> Uuid {
        self.version.generation
    }

    fn memory_mib(&self) -> u32 {
        self.version.configuration.memory_mib
    }

    fn freeze(&mut self) {
        if let Err(error) = self.program.freeze() {
            tracing::warn!(%error, "cannot freeze an execution environment");
        }
    }
}

/// Cancel-safe: an exit once told is told again.
async fn wait_exit(program: &mut dyn Program) -> Exit {
    poll_fn(|cx| program.poll_exit(cx)).await
}
