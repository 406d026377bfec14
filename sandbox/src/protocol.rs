//! Messages between the API process, the launcher and init.
//!
//! There are three kinds of connection, all of them [`Channel`]s: API process to launcher ([`LauncherSetup`],
//! [`LauncherRequest`], answered by [`Started`], [`LauncherReply`]), launcher to init ([`Assignment`],
//! answered by [`Progress`]), init to API process ([`Exit`](crate::Exit)). Descriptors are in the order that
//! the structs name.

pub(crate) mod bytes;
mod channel;

use serde::{Deserialize, Serialize};

pub(crate) use self::channel::Channel;
pub use self::channel::ChannelError;
#[cfg(fuzzing)]
pub(crate) use self::channel::decode;
use crate::cgroup::HandleKind;
use crate::config::LauncherConfig;
use crate::error::{LaunchFailure, StartFailure, StepError};
use crate::spec::{FileSpec, Spec, SymlinkSpec};

/// First message to the launcher.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LauncherSetup {
    pub(crate) config: LauncherConfig,
}

/// The answer to [`LauncherSetup`]: remarks for the operator, or the reason why the launcher ends.
pub(crate) type Started = Result<Vec<String>, StartFailure>;

/// Every later message to the launcher.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum LauncherRequest {
    Launch(Box<Spec>),
}

/// The answer to [`LauncherRequest::Launch`].
pub(crate) type LauncherReply = Result<LaunchReport, LaunchFailure>;

/// Descriptors: listener, output, status, lifeline, then freeze, cpu, peak, events and stat
/// of the group.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LaunchReport {
    pub(crate) uid: u32,
    pub(crate) pid: i32,
    pub(crate) handles: HandleKind,
}

/// How many descriptors come with [`LaunchReport`].
pub(crate) const LAUNCH_DESCRIPTORS: usize = 9;

/// Turns a blank sandbox into that of a function. Descriptors: output, status, one per bind, then `/tmp` if
/// it is a volume.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Assignment {
    pub(crate) targets: Vec<std::path::PathBuf>,
    pub(crate) files: Vec<FileSpec>,
    pub(crate) symlinks: Vec<SymlinkSpec>,
    pub(crate) argv: Vec<Vec<u8>>,
    pub(crate) env: Vec<Vec<u8>>,
    pub(crate) cwd: std::path::PathBuf,
    pub(crate) hostname: String,
    pub(crate) memory_mib: u32,
    pub(crate) tmp_mib: u32,
    pub(crate) processes_max: u32,
    /// Whether the last descriptor is a volume; otherwise `/tmp` is in memory.
    pub(crate) volume: bool,
}

/// Messages of an init to the launcher: first that it is blank and ready (with the listener), then that it is
/// contained and about to run the program.
pub(crate) type Progress = Result<(), StepError>;
