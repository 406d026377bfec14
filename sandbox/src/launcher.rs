//! The launcher: a small single-threaded process that makes sandboxes, watches them and removes them.
//!
//! It reads typed messages from one socket and validates each. When the socket closes, it removes every
//! sandbox and ends; when it is killed, the kernel kills every sandbox.

mod blanks;
mod guardian;
mod launch;
mod machine;
mod supervised;
mod supervisor;

use std::os::unix::ffi::OsStrExt;

use nix::sys::prctl::set_name;

use self::machine::Machine;
use self::supervisor::Supervisor;
use crate::protocol::{Channel, LauncherSetup, Started};
use crate::sys;

/// `argv[0]` of the launcher process.
pub(crate) const NAME: &str = "lambd-launcher";

/// Runs the launcher if this process was started as it, and never returns; otherwise returns at once.
///
/// Every program that calls [`start`](crate::start) calls this first in `main`, before any thread exists.
pub fn launcher_entry() {
    let named = std::env::args_os().next().is_some_and(|name| name.as_bytes() == NAME.as_bytes());
    if named && std::env::args_os().count() == 1 {
        sys::process::exit(run());
    }
}

fn run() -> i32 {
    sys::process::ignore_group_signals();
    // Only a label for `ps`.
    let _ = set_name(c"lambd-launcher");
    // A session of its own, so that Ctrl-C on a terminal reaches only the server. It fails for a session
    // leader.
    let _ = nix::unistd::setsid();
    let channel = Channel::from_fd(sys::fd::stdin());
    let Ok(setup) = channel.receive::<LauncherSetup>() else { return 2 };
    let (machine, notes) = match Machine::prepare(&setup.value.config) {
        Ok(prepared) => prepared,
        Err(failure) => {
            // If the other side is gone, the answer has no reader.
            let _ = channel.send(&Started::Err(failure), &[]);
            return 1;
        }
    };
    let Ok(mut supervisor) = Supervisor::new(machine, channel) else { return 1 };
    if supervisor.send_ready(notes).is_ok() {
        supervisor.serve();
    }
    supervisor.tear_down();
    0
}
