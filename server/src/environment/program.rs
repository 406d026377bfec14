//! The program of a sandbox, as its environment uses it: its end, its control group, and how to end it.

use std::fmt::Debug;
use std::io;
use std::task::{Context, Poll, ready};

use lambd_sandbox::{Control, Exit, ExitFd, Lifeline};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A running program and its control group; the methods are those of [`Control`]. Dropping it ends every
/// process of the sandbox.
pub trait Program: Debug + Send + Sync {
    /// Completes when the program has ended, and returns the same from then on. Only the last caller is
    /// woken, because an environment belongs to one task.
    fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<Exit>;

    /// Ends every process at once; [`Self::poll_exit`] completes soon after.
    fn kill(&mut self);

    /// Stops every process.
    fn freeze(&self) -> io::Result<()>;

    /// Continues every process.
    fn thaw(&self) -> io::Result<()>;

    /// Limits the processes to their share of CPU from now on.
    fn limit_cpu(&self) -> io::Result<()>;

    /// Highest memory use so far, bytes.
    fn memory_peak_bytes(&self) -> io::Result<u64>;

    /// Page cache in the memory that is in use now, bytes.
    fn memory_cache_bytes(&self) -> io::Result<u64>;

    /// Number of times that the kernel killed a process because the memory was used up.
    fn oom_kills(&self) -> io::Result<u64>;
}

/// The program of a sandbox that the launcher made.
#[derive(Debug)]
pub(super) struct Sandboxed {
    exit: AsyncFd<ExitFd>,
    /// The exit once it was read, because the descriptor returns it only once.
    ended: Option<Exit>,
    control: Control,
    /// Dropping it ends the processes.
    lifeline: Option<Lifeline>,
}

impl Sandboxed {
    pub(super) fn new(exit: ExitFd, control: Control, lifeline: Lifeline) -> io::Result<Self> {
        Ok(Self { exit: watch(exit)?, ended: None, control, lifeline: Some(lifeline) })
    }
}

impl Program for Sandboxed {
    fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<Exit> {
        loop {
            if let Some(exit) = self.ended {
                return Poll::Ready(exit);
            }
            let Ok(mut guard) = ready!(self.exit.poll_read_ready(cx)) else { return Poll::Ready(Exit::Gone) };
            match guard.get_inner().read() {
                Ok(Some(exit)) => self.ended = Some(exit),
                Ok(None) => guard.clear_ready(),
                Err(_) => self.ended = Some(Exit::Gone),
            }
        }
    }

    fn kill(&mut self) {
        self.lifeline = None;
    }

    fn freeze(&self) -> io::Result<()> {
        self.control.freeze()
    }

    fn thaw(&self) -> io::Result<()> {
        self.control.thaw()
    }

    fn limit_cpu(&self) -> io::Result<()> {
        self.control.set_cpu_quota(true)
    }

    fn memory_peak_bytes(&self) -> io::Result<u64> {
        self.control.memory_peak_bytes()
    }

    fn memory_cache_bytes(&self) -> io::Result<u64> {
        self.control.memory_cache_bytes()
    }

    fn oom_kills(&self) -> io::Result<u64> {
        self.control.oom_kills()
    }
}

/// Registers the end of the program with the reactor.
#[expect(
    deprecated,
    reason = "its successor is unsafe; its condition is true: an ExitFd always owns the same descriptor"
)]
fn watch(exit: ExitFd) -> io::Result<AsyncFd<ExitFd>> {
    AsyncFd::with_interest(exit, Interest::READABLE)
}
