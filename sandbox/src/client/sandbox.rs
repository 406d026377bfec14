//! A sandbox as the API process holds it.

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
    /// It exited with this status.
    Code(i32),
    /// A signal ended it. An out-of-memory kill also gives 9: see [`Control::oom_kills`].
    Signal(i32),
    /// The program could not be executed; this is the kernel's error number, such as ENOENT, EACCES or
    /// ENOEXEC.
    ExecFailed(i32),
    /// The whole sandbox ended without a report: it was killed, or it ran out of memory as a whole.
    Gone,
}

impl Exit {
    /// Converts the status of `wait(2)`.
    pub(crate) fn from_wait(status: i32) -> Self {
        if libc::WIFSIGNALED(status) {
            Self::Signal(libc::WTERMSIG(status))
        } else {
            Self::Code(libc::WEXITSTATUS(status))
        }
    }
}

/// A sandbox. Dropping it, or more exactly its [`lifeline`](Self::lifeline), ends all its processes and
/// removes everything that belongs to it.
#[derive(Debug)]
pub struct Sandbox {
    /// [`Spec::id`](crate::Spec) as given.
    pub id: String,
    /// User and group id of its processes; no other living sandbox has the same.
    pub uid: u32,
    /// The process id of its init on the host.
    pub pid: i32,
    /// Listener on [`RUNTIME_API`](crate::RUNTIME_API) inside the sandbox, not blocking.
    pub listener: TcpListener,
    /// What the program writes to standard output and error, not blocking. It ends when all writers are gone,
    /// which is soon after [`exit`](Self::exit) has become readable: read until then.
    pub output: OwnedFd,
    /// Reports the program's end.
    pub exit: ExitFd,
    /// Freezes the sandbox, limits its CPU, measures it.
    pub control: Control,
    /// Keeps the sandbox alive.
    pub lifeline: Lifeline,
}

/// Keeps a sandbox alive: dropping it ends all its processes and removes everything that belongs to it. It is
/// a value of its own for callers that take a [`Sandbox`] apart.
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

/// Becomes readable when the program has ended, never before.
#[derive(Debug)]
pub struct ExitFd(Channel);

impl ExitFd {
    /// How the program ended; `None` while it runs. The status is delivered once: later calls return
    /// [`Exit::Gone`].
    ///
    /// # Errors
    /// Errors of the socket, which do not occur on a live descriptor.
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
