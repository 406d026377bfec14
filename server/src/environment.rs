//! One execution environment: a sandbox, its Runtime API session and its log. At any time one task owns it.
//!
//! Invariants: an environment belongs to one generation of one version for its whole life. It has at most one
//! event. Dropping it ends its processes, because the launcher sees that the lifeline closes. Only the task
//! that owns it reads its output, so that lines stay in order without a lock; while it is idle, output stays
//! in the pipe until the next invocation or [`Environment::terminate`].

pub mod failure;
mod keys;
pub mod launch;
pub mod output;
pub mod program;
mod spec;
mod variables;

use std::future::poll_fn;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lambd_auth::SessionKey;
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

/// An environment whose sandbox has been started.
#[derive(Debug)]
pub struct Environment {
    /// The version that it serves.
    pub version: Arc<Version>,
    /// Its log. The platform's lines go through it, too, so that all lines stay in order.
    pub output: ProgramOutput,
    /// The program that was started.
    entrypoint: Entrypoint,
    /// Its session of the Runtime API.
    pub session: Session,
    /// Serves that API; ends with the session.
    _service: tokio::task::JoinHandle<()>,
    /// Dropping it ends the processes; the fields after it return what was reserved for them.
    program: Box<dyn Program>,
    started: Instant,
    /// Returned when a provisioned environment ends; `None` if it is none.
    provisioned: Option<Box<dyn Slot>>,
    /// Keeps its packages from being collected.
    _packages: (Package, Option<Package>),
    _reservation: Box<dyn Reservation>,
    _descriptors: OwnedSemaphorePermit,
}

/// Where sandboxes come from, and what they need.
#[derive(Debug)]
pub struct Launching {
    /// Launches sandboxes.
    pub launch: Arc<dyn Launch>,
    /// The data directory as the launcher knows it; the server's own paths are relative to it.
    pub root: PathBuf,
    /// The descriptors of this process that environments may use.
    pub descriptors: Descriptors,
    /// Makes the keys of each environment.
    pub sessions: SessionKey,
}

/// What was reserved for an environment, above all memory; dropped with the environment, which returns it.
pub trait Reservation: std::fmt::Debug + Send + Sync {
    /// Says that the environment was started, so that its start counts.
    fn started(&mut self);
}

/// What a provisioned environment occupies; dropped with it.
pub trait Slot: std::fmt::Debug + Send + Sync {}

/// Why an environment is started, as its function is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initialization {
    /// For an invocation that waits.
    OnDemand,
    /// For an invocation that waits, whose first environment could not be initialised.
    Repeated,
    /// Before anybody invokes.
    Provisioned,
}

impl Initialization {
    /// Whether the init may use more CPU than the function's share: not one that is repeated, because it is a part of
    /// the invocation.
    fn is_boosted(self) -> bool {
        self != Self::Repeated
    }

    /// The phase in which it is, as INIT_REPORT tells it.
    pub fn phase(self) -> &'static str {
        if self == Self::Repeated { "invoke" } else { "init" }
    }

    /// `AWS_LAMBDA_INITIALIZATION_TYPE` [fact:platform-variables].
    pub fn name(self) -> &'static str {
        if self == Self::Provisioned { "provisioned-concurrency" } else { "on-demand" }
    }
}

/// The inputs of a start.
#[derive(Debug)]
pub struct EnvironmentStart<'a> {
    /// The version to run.
    pub version: Arc<Version>,
    /// Its runtime.
    pub runtime: &'a Runtime,
    /// Its code, pinned for as long as the environment lives.
    pub package: Package,
    /// Its layers, merged and pinned in the same way.
    pub layers: Option<Package>,
    /// The memory that was reserved for it.
    pub reservation: Box<dyn Reservation>,
    /// The descriptors that were reserved for it.
    pub descriptors: OwnedSemaphorePermit,
    /// Why it is started.
    pub initialization: Initialization,
}

impl Environment {
    /// Starts a sandbox for the version; its init has begun when this returns.
    pub async fn start(
        start: EnvironmentStart<'_>,
        launching: &Launching,
        logs: &LogSink,
    ) -> Result<Self, EnvironmentStartError> {
        let id = Uuid::new_v4().simple().to_string();
        let stream = format!("{}/[{}]{id}", clock::stream_date(clock::now_ms()), start.version.qualifier);
        let opt = start.layers.as_ref().map(|layers| &*layers.code_dir);
        let entrypoint = start.runtime.entrypoint(&start.package.code_dir, opt);
        let keys = keys::issue(&launching.sessions, &start.version, SystemTime::now(), rand::random());
        let spec = spec::build(&start, &entrypoint, &id, &stream, &keys, &launching.root);
        let EnvironmentStart { version, package, layers, mut reservation, descriptors, .. } = start;
        let LaunchedSandbox { listener, output, program } = launching.launch.launch(spec).await?;
        // The wait for the launcher is the server's time, not the function's.
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
            provisioned: None,
            _packages: (package, layers),
            _reservation: reservation,
            _descriptors: descriptors,
        })
    }

    /// Waits at most `limit` for the runtime's first `next`, the end of init. A failure is worded for the
    /// request `request_id`, which waits. After success the function has the CPU share of its memory.
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

    /// Whether the runtime process has not ended; does not wait.
    pub fn is_alive(&mut self) -> bool {
        use futures_util::FutureExt as _;
        wait_exit(&mut *self.program).now_or_never().is_none()
    }

    /// Whether its keys end too soon for another event.
    pub fn has_old_keys(&self) -> bool {
        self.age() > keys::USE_MAX
    }

    /// Ends its processes at once; their output can still be read.
    pub fn kill(&mut self) {
        self.program.kill();
    }

    /// Lets a frozen environment run again.
    pub fn thaw(&self) {
        if let Err(error) = self.program.thaw() {
            tracing::warn!(%error, "cannot thaw an execution environment");
        }
    }

    /// Highest memory use so far, bytes; 0 if the kernel does not say. File cache, also that of `/tmp`, does
    /// not count [fact:tmp-is-not-memory]: it is subtracted when usage is near the limit, because it matters
    /// only then and costs a read. After out of memory the usage is the limit [fact:out-of-memory].
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

    /// Borrows the parts of which a `select!` needs all at once.
    pub fn parts(&mut self) -> (&mut ProgramOutput, &Session, impl Future<Output = Exit>) {
        (&mut self.output, &self.session, wait_exit(&mut *self.program))
    }

    /// Ends the environment: its processes and memory at once; output that has not been read goes to the log
    /// later.
    pub fn terminate(self) {
        let log = self.terminating();
        drop(log);
    }

    /// As [`Self::terminate`], with the task that writes the log; it ends in seconds even if the log hangs.
    pub fn terminating(self) -> tokio::task::JoinHandle<()> {
        let Self { output, .. } = self;
        tokio::spawn(output.close())
    }

    /// Makes it a provisioned environment, which occupies this slot.
    pub fn provide(&mut self, slot: Box<dyn Slot>) {
        self.provisioned = Some(slot);
    }

    /// Time since its program was started.
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

    fn is_provisioned(&self) -> bool {
        self.provisioned.is_some()
    }

    fn freeze(&mut self) {
        if let Err(error) = self.program.freeze() {
            tracing::warn!(%error, "cannot freeze an execution environment");
        }
    }
}

/// Cancel-safe: an exit that was returned once is returned again.
async fn wait_exit(program: &mut dyn Program) -> Exit {
    poll_fn(|cx| program.poll_exit(cx)).await
}
