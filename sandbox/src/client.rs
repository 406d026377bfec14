//! The API process's side: starts the launcher and requests sandboxes from it. Calls block.

mod control;
mod sandbox;

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub use self::control::Control;
pub use self::sandbox::{Exit, ExitFd, Lifeline, Sandbox};
use crate::config::LauncherConfig;
use crate::error::{LaunchError, StartError};
use crate::launcher::NAME;
use crate::protocol::{Channel, LauncherReply, LauncherRequest, LauncherSetup, Started};
use crate::spec::Spec;

/// Longest wait for the launcher to be ready: it may wait up to 20 s for the end of a predecessor.
const START_WAIT: Duration = Duration::from_secs(40);
/// Longest wait for one sandbox. The launcher gives each of its own steps 10 s and may try a second blank
/// sandbox: 80 s at most, so after 120 s it hangs.
const LAUNCH_WAIT: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(2);

/// The connection to the launcher. Dropping it ends the launcher and every sandbox.
#[derive(Debug)]
pub struct Launcher {
    channel: Channel,
    process: Child,
    notes: Vec<String>,
}

/// How [`Launcher::shutdown`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Nothing is left.
    Complete,
    /// The wait ended first; the launcher continues to shut down.
    GoesOn,
}

/// Starts the launcher: a second process of this program with root's rights, an empty environment and no
/// descriptors except its socket and standard error.
///
/// # Errors
/// [`StartError`] names what the machine lacks. No process is left.
#[expect(clippy::disallowed_methods, reason = "this is the one process that the server starts")]
pub fn start(config: &LauncherConfig) -> Result<Launcher, StartError> {
    let (here, there) = Channel::pair().map_err(StartError::Spawn)?;
    let exe = config.exe.clone().unwrap_or_else(|| PathBuf::from("/proc/self/exe"));
    let mut command = Command::new(exe);
    command.arg0(NAME).env_clear().current_dir("/");
    command.stdin(there.into_fd()).stdout(Stdio::null()).stderr(Stdio::inherit());
    let process = command.spawn().map_err(StartError::Spawn)?;
    drop(command); // it holds the other end
    let mut launcher = Launcher { channel: here, process, notes: Vec::new() };
    launcher.channel.send(&LauncherSetup { config: config.clone() }, &[])?;
    launcher.notes = launcher.channel.receive_within::<Started>(START_WAIT)?.value?;
    Ok(launcher)
}

impl Launcher {
    /// Makes a sandbox and starts its program. Takes some milliseconds.
    ///
    /// # Errors
    /// [`LaunchError`]: this sandbox does not exist, and others are not affected. If
    /// [`LaunchError::is_lost`], the launcher cannot be used any more.
    pub fn launch(&mut self, spec: &Spec) -> Result<Sandbox, LaunchError> {
        self.channel.send(&LauncherRequest::Launch(Box::new(spec.clone())), &[])?;
        let reply = self.channel.receive_within::<LauncherReply>(LAUNCH_WAIT)?;
        let launched = reply.value?;
        Sandbox::new(spec.id.clone(), &launched, reply.descriptors)
    }

    /// The process id of the launcher.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Remarks about this machine that an operator should read, one sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Ends every sandbox and the launcher, and waits until nothing of them is left, but at most `wait`.
    pub fn shutdown(self, wait: Duration) -> Shutdown {
        let Self { channel, mut process, .. } = self;
        drop(channel);
        let deadline = Instant::now() + wait;
        loop {
            match process.try_wait() {
                Ok(None) if Instant::now() < deadline => std::thread::sleep(PAUSE),
                Ok(None) => return Shutdown::GoesOn,
                Ok(Some(_)) | Err(_) => return Shutdown::Complete,
            }
        }
    }
}
