//! Removes what a dead launcher of the same instance left: its processes and their groups.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::remove;
use crate::error::StepError;

/// How long killed processes get to vanish.
const WAIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);

/// Kills every process in the groups below `parents`, then removes these groups and the parents.
pub(super) fn clear(parents: &[&PathBuf], thaw: impl Fn(&Path)) -> Result<(), StepError> {
    let deadline = Instant::now() + WAIT;
    loop {
        let mut left = None;
        for parent in parents {
            for group in children(parent) {
                thaw(&group);
                kill_all(&group);
                if !remove(&group) {
                    left = Some(group);
                }
            }
            if left.is_none() && !remove(parent) {
                left = Some((*parent).clone());
            }
        }
        match left {
            None => return Ok(()),
            Some(group) if Instant::now() > deadline => {
                return Err(StepError {
                    step: format!("remove the old group {}", group.display()),
                    errno: 0,
                });
            }
            Some(_) => std::thread::sleep(PAUSE),
        }
    }
}

fn children(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn kill_all(group: &Path) {
    let procs = std::fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    for pid in procs.split_whitespace().filter_map(|pid| pid.parse().ok()) {
        // It may have ended since; what stays is seen in the next round.
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
}
