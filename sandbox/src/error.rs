//! Errors of the crate, and how a failed step is reported from a sandbox to the caller.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

pub use crate::protocol::ChannelError;
use crate::spec::SpecError;

/// A step that failed, with the kernel's reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepError {
    /// What was being done.
    pub step: String,
    /// The kernel's error number; 0 when the failure is not that of a system call.
    pub errno: i32,
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.errno == 0 {
            return f.write_str(&self.step);
        }
        write!(f, "{}: {}", self.step, nix::Error::from_raw(self.errno).desc())
    }
}

impl std::error::Error for StepError {}

/// Adds the step in which a call failed to its error.
pub(crate) trait At<T> {
    fn at(self, step: impl Into<String>) -> Result<T, StepError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, step: impl Into<String>) -> Result<T, StepError> {
        self.map_err(|error| match error.raw_os_error() {
            Some(errno) => StepError { step: step.into(), errno },
            None => StepError { step: format!("{}: {error}", step.into()), errno: 0 },
        })
    }
}

impl<T> At<T> for nix::Result<T> {
    fn at(self, step: impl Into<String>) -> Result<T, StepError> {
        self.map_err(|errno| StepError { step: step.into(), errno: errno as i32 })
    }
}

impl<T> At<T> for Result<T, ChannelError> {
    fn at(self, step: impl Into<String>) -> Result<T, StepError> {
        self.map_err(|error| match error {
            ChannelError::Io(error) => {
                StepError { step: step.into(), errno: error.raw_os_error().unwrap_or_default() }
            }
            error => StepError { step: format!("{}: {error}", step.into()), errno: 0 },
        })
    }
}

/// Why the launcher cannot work on this machine; the launcher sends it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum StartFailure {
    /// The launcher does not have the rights to make sandboxes.
    #[error("the capability {0} is missing: start as root")]
    Capability(String),
    /// [`LauncherConfig::instance`](crate::LauncherConfig) is not `[a-z0-9-]{1,32}`.
    #[error("the instance name {0:?} is not 1 to 32 of a-z, 0-9 and hyphen")]
    Instance(String),
    /// The kernel is older than [`KERNEL_MIN`](crate::KERNEL_MIN).
    #[error("this is Linux {release}; {}.{} or newer is needed", crate::KERNEL_MIN.0, crate::KERNEL_MIN.1)]
    Kernel {
        /// The kernel's release.
        release: String,
    },
    /// Another launcher of the same instance is running.
    #[error("another launcher of the instance {0} is running")]
    Busy(String),
    /// A control group controller is missing.
    #[error("the control group controller {controller} is missing: {remedy}")]
    Controller {
        /// Its name.
        controller: String,
        /// How an operator can add it.
        remedy: String,
    },
    /// A program of the host is missing.
    #[error("the program {program} is missing: install the package {package}")]
    Program {
        /// Its name.
        program: String,
        /// The package, as Debian names it.
        package: String,
    },
    /// A step failed.
    #[error(transparent)]
    Step(#[from] StepError),
}

/// Why [`start`](crate::start) failed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The launcher process could not be started.
    #[error("cannot start the launcher process")]
    Spawn(#[source] io::Error),
    /// The launcher ended, or sent no valid answer.
    #[error("the launcher did not answer")]
    Channel(#[from] ChannelError),
    /// The launcher reports why it cannot work.
    #[error(transparent)]
    Failed(#[from] StartFailure),
}

/// Why a sandbox could not be made; the launcher sends it. Nothing of the sandbox is left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum LaunchFailure {
    /// The specification was refused.
    #[error(transparent)]
    Refused(#[from] SpecError),
    /// All 4,096 user ids of the launcher are in use.
    #[error("no free user id")]
    NoUid,
    /// A step failed.
    #[error(transparent)]
    Step(#[from] StepError),
}

/// Why [`Launcher::launch`](crate::Launcher::launch) failed.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The launcher reports the reason and continues to work.
    #[error(transparent)]
    Failed(#[from] LaunchFailure),
    /// A message did not arrive. If [`Self::is_lost`], no sandbox lives any more and none can be made.
    #[error("an order to the launcher, or its answer, did not get through")]
    Channel(#[from] ChannelError),
}

impl LaunchError {
    /// Whether the launcher cannot be used any more. It can be after a specification that was too long, which
    /// was not sent, and after an answer that was cut off because this process has no free descriptor: that
    /// closes the lifeline, and so the sandbox ends.
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Failed(_) | Self::Channel(ChannelError::TooLong { .. } | ChannelError::Incomplete) => false,
            Self::Channel(_) => true,
        }
    }
}
