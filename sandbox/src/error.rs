//! Errors of the crate, and how a failing step travels from a sandbox to the caller.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

pub use crate::protocol::ChannelError;
use crate::spec::SpecError;

/// A step of making something that failed, with the kernel's reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepError {
    /// What was being done.
    pub step: String,
    /// The kernel's error number; 0 where the kernel was not asked.
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

/// Names the step in which a call failed.
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

/// Why the launcher cannot work on this machine; sent by the launcher.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum StartFailure {
    /// It has not the rights to make sandboxes.
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
    /// Another launcher of the same name is alive.
    #[error("another launcher of the instance {0} is running")]
    Busy(String),
    /// A control group controller is not there.
    #[error("the control group controller {controller} is missing: {remedy}")]
    Controller {
        /// Its name.
        controller: String,
        /// What an operator does about it.
        remedy: String,
    },
    /// A program of the host is not there.
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
    /// The launcher ended or did not speak.
    #[error("the launcher did not answer")]
    Channel(#[from] ChannelError),
    /// The launcher says why it cannot work.
    #[error(transparent)]
    Failed(#[from] StartFailure),
}

/// Why a sandbox could not be made; sent by the launcher. Nothing of it is left.
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
    /// The launcher says why. It goes on working.
    #[error(transparent)]
    Failed(#[from] LaunchFailure),
    /// The message did not get through. Where [`Self::is_lost`], no sandbox lives any more and none can be made.
    #[error("an order to the launcher, or its answer, did not get through")]
    Channel(#[from] ChannelError),
}

impl LaunchError {
    /// Whether the launcher is of no more use. A specification that is too long was not sent; of an answer that was
    /// cut short, as where this process has no descriptor left, the lifeline is closed, and so the sandbox ended.
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Failed(_) | Self::Channel(ChannelError::TooLong { .. } | ChannelError::Incomplete) => false,
            Self::Channel(_) => true,
        }
    }
}
