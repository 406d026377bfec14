//! The program of a sandbox as its environment needs it: its end, its control group, and a way to end it.

use std::fmt::Debug;
use std::io;
use std::task::{Context, Poll, ready};

use lambd_sandbox::{Control, Exit, ExitFd, Lifeline};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A running program and its control group, whose calls are those of [`Control`]. Dropping it ends every process
/// of its sandbox.
pub trait Program: Debug + Send + Sync {
    /// Completes when the program has ended, and says the same ever after. Only the last caller is woken: an
    /// environment belongs to one task.
    fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<Exit>;

    /// Ends every process at once; [`Self::poll_exit`] completes soon after.
    fn kill(&mut self);

    /// Stops every process.
    fn freeze(&self) -> io::Result<()>;

    /// Lets them run again.
    fn thaw(&self) -> io::Result<()>;

    /// Holds them to their share of CPU from now on.
    fn limit_cpu(&self) -> io::Result<()>;

    /// The most memory used so far.
    fn memory_peak_bytes(&self) -> io::Result<u64>;

    /// Page cache among the memory in use now.
    fn memory_cache_bytes(&self) -> io::Result<u64>;

    /// How often the kernel killed for want of memory.
    fn oom_kills(&self) -> io::Result<u64>;
}

/// The program of a sandbox that the launcher made.
#[derive(Debug)]
pub(super) struct Sandboxed {
    exit: AsyncFd<ExitFd>,
    /// An exit once read, which the descriptor tells only once.
    ended: Option<Exit>,
    control: Control,
    /// Dropping it is what ends the processes.
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
    reason = "its successor is unsafe; an ExitFd owns one descriptor for life, which is what it asks"
)]
fn watch(exit: ExitFd) -> io::Result<AsyncFd<ExitFd>> {
    AsyncFd::with_interest(exit, Interest::READABLE)
}
