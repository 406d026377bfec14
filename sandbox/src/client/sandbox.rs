//! A living sandbox in the API process's hands.

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use serde::{Deserialize, Serialize};

use super::Control;
use crate::error::{ChannelError, LaunchError};
use crate::protocol::{Channel, LAUNCH_DESCRIPTORS, LaunchReport};

/// How the program of a sandbox ended. All other processes of the sandbox end with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// By itself, with this status.
    Code(i32),
    /// By this signal. 9 is also what an out-of-memory kill looks like: see
    /// [`Control::oom_kills`].
    Signal(i32),
    /// It never ran: the kernel's error number, such as ENOENT, EACCES or ENOEXEC.
    ExecFailed(i32),
    /// The whole sandbox is gone without a word: it was killed, or out of memory as a whole.
    Gone,
}

impl Exit {
    /// From the status of `wait(2)`.
    pub(crate) fn from_wait(status: i32) -> Self {
        if libc::WIFSIGNALED(status) {
            Self::Signal(libc::WTERMSIG(status))
        } else {
            Self::Code(libc::WEXITSTATUS(status))
        }
    }
}

/// A sandbox. Dropping it (in truth its [`lifeline`](Self::lifeline)) ends every process in it and removes
/// all that belongs to it.
#[derive(Debug)]
pub struct Sandbox {
    /// [`Spec::id`](crate::Spec) as given.
    pub id: String,
    /// User and group id of its processes; no other living sandbox has it.
    pub uid: u32,
    /// The host's number of its init.
    pub pid: i32,
    /// Listens on [`RUNTIME_API`](crate::RUNTIME_API) inside, not blocking.
    pub listener: TcpListener,
    /// What the program writes to standard output and error, not blocking. Ends when all writers are gone,
    /// which is soon after [`exit`](Self::exit) has become readable: read on until then.
    pub output: OwnedFd,
    /// Tells the program's end.
    pub exit: ExitFd,
    /// Freezes it, limits its CPU, measures it.
    pub control: Control,
    /// What keeps the sandbox alive.
    pub lifeline: Lifeline,
}

/// Keeps a sandbox alive: dropping it ends every process in the sandbox and removes all that belongs to
/// it. For those who take a [`Sandbox`] apart.
#[derive(Debug)]
pub struct Lifeline {
    _end: OwnedFd,
}

impl Sandbox {
    pub(super) fn new(
        id: String,
        launched: &LaunchReport,
        descriptors: Vec<OwnedFd>,
    ) -> Result<Self, LaunchError> {
        let all: [OwnedFd; LAUNCH_DESCRIPTORS] =
            descriptors.try_into().map_err(|_| LaunchError::Channel(ChannelError::Incomplete))?;
        let [listener, output, status, lifeline, group @ ..] = all;
        for fd in [&output, &status] {
            fcntl(fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
                .map_err(|errno| ChannelError::Io(errno.into()))?;
        }
        Ok(Self {
            id,
            uid: launched.uid,
            pid: launched.pid,
            listener: listener.into(),
            output,
            exit: ExitFd(Channel::from_fd(status)),
            control: Control::new(launched.handles, group),
            lifeline: Lifeline { _end: lifeline },
        })
    }
}

/// Becomes readable when the program has ended; never before.
#[derive(Debug)]
pub struct ExitFd(Channel);

impl ExitFd {
    /// How the program ended; `None` while it runs. Only the first answer counts: a later call says
    /// [`Exit::Gone`].
    ///
    /// # Errors
    /// The socket's, which cannot happen to a live descriptor.
    pub fn read(&self) -> io::Result<Option<Exit>> {
        match self.0.receive::<Exit>() {
            Ok(received) => Ok(Some(received.value)),
            Err(ChannelError::Closed) => Ok(Some(Exit::Gone)),
            Err(ChannelError::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(ChannelError::Io(error)) => Err(error),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

impl AsFd for ExitFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl std::os::fd::AsRawFd for ExitFd {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.as_fd().as_raw_fd()
    }
}
