//! Starts sandboxes: [`Launch`], and the client of the launcher, which is one thread that owns the connection
//! and sends one request after the other.
//!
//! The launcher has one thread, so parallel requests would gain nothing; and a blocking call must not block a
//! worker of the runtime.

use std::fmt::Debug;
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::pin::Pin;

use lambd_sandbox::{ChannelError, LaunchError, Launcher, Sandbox, Spec};
use tokio::sync::{mpsc, oneshot};

use super::program::{Program, Sandboxed};

/// Launches that may wait; any further one is refused at once.
const QUEUE: usize = 4096;

/// Why an environment could not be started.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentStartError {
    /// The launcher refused or failed. It can go on unless [`LaunchError::is_lost`].
    #[error("cannot launch a sandbox")]
    Launch(#[source] LaunchError),
    /// The launcher has ended: the server cannot run functions any more.
    #[error("the launcher has ended")]
    Gone,
    /// Too many launches are waiting.
    #[error("too many launches are waiting")]
    Busy,
    /// The sandbox's descriptors did not all arrive, because this process has none left. The sandbox ends.
    #[error("no file descriptor is left for a sandbox")]
    Descriptors,
    /// A descriptor of the sandbox cannot be used.
    #[error("cannot take over the sandbox")]
    Io(#[from] io::Error),
}

/// A sandbox whose program has been started.
#[derive(Debug)]
pub struct LaunchedSandbox {
    /// The listener of the program's Runtime API; not blocking.
    pub listener: TcpListener,
    /// The output of the program; not blocking.
    pub output: OwnedFd,
    /// The program itself.
    pub program: Box<dyn Program>,
}

/// The future of a launch.
pub type LaunchFuture<'a> =
    Pin<Box<dyn Future<Output = Result<LaunchedSandbox, EnvironmentStartError>> + Send + 'a>>;

/// Starts sandboxes.
pub trait Launch: Debug + Send + Sync {
    /// Starts a sandbox, whose init has then begun. If the future is dropped, the sandbox ends at once.
    fn launch(&self, spec: Spec) -> LaunchFuture<'_>;
}

struct Job {
    spec: Spec,
    reply: oneshot::Sender<Result<Sandbox, LaunchError>>,
}

/// Sends launches to the launcher. Cheap to clone; the thread ends with the last clone.
#[derive(Debug, Clone)]
pub struct LaunchHandle {
    jobs: mpsc::Sender<Job>,
}

impl LaunchHandle {
    /// Moves the launcher to a thread of its own. Joining the thread returns the launcher, for its shutdown.
    pub fn spawn(mut launcher: Launcher) -> io::Result<(Self, std::thread::JoinHandle<Option<Launcher>>)> {
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        let thread = std::thread::Builder::new().name("launcher-client".to_owned()).spawn(move || {
            while let Some(job) = queue.blocking_recv() {
                if job.reply.is_closed() {
                    continue;
                }
                let launched = launcher.launch(&job.spec);
                let lost = launched.as_ref().is_err_and(LaunchError::is_lost);
                // If the caller is gone, this drops the sandbox, which ends it.
                let _ = job.reply.send(launched);
                if lost {
                    // A late answer would be taken for that of the next launch. Dropping the connection ends
                    // the launcher, and the server ends with it.
                    return None;
                }
            }
            Some(launcher)
        })?;
        Ok((Self { jobs }, thread))
    }

    async fn ask(&self, spec: Spec) -> Result<Sandbox, EnvironmentStartError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.try_send(Job { spec, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => EnvironmentStartError::Busy,
            mpsc::error::TrySendError::Closed(_) => EnvironmentStartError::Gone,
        })?;
        answer.await.map_err(|_| EnvironmentStartError::Gone)?.map_err(|error| match error {
            LaunchError::Channel(ChannelError::Incomplete) => EnvironmentStartError::Descriptors,
            error => EnvironmentStartError::Launch(error),
        })
    }
}

impl Launch for LaunchHandle {
    fn launch(&self, spec: Spec) -> LaunchFuture<'_> {
        Box::pin(async move {
            let Sandbox { listener, output, exit, control, lifeline, .. } = self.ask(spec).await?;
            let program = Box::new(Sandboxed::new(exit, control, lifeline)?);
            Ok(LaunchedSandbox { listener, output, program })
        })
    }
}
