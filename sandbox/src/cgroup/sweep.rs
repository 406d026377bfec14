//! Removes what a killed launcher left: its processes and their groups.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{remove, write};
use crate::error::StepError;
use crate::sys::process;

/// How long killed processes may take to disappear.
const WAIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);

/// Kills every process in the groups below `parents`, then removes these groups and the parents.
pub(super) fn clear(parents: &[&PathBuf], release: impl Fn(&Path)) -> Result<(), StepError> {
    let deadline = Instant::now() + WAIT;
    loop {
        let mut left = None;
        for parent in parents {
            for group in children(parent) {
                release(&group);
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
    // Version 2 kills all of them in one step, from Linux 5.14 on. Such a group is never used again.
    if write(group, "cgroup.kill", "1").is_ok() {
        return;
    }
    for pid in members(group) {
        // The process may have ended since; if not, the next round finds it.
        let Ok(member) = process::open(pid) else { continue };
        // Checked again: as long as the descriptor is open, the number cannot pass to another process.
        if members(group).contains(&pid) {
            let _ = process::kill(member.as_fd());
        }
    }
}

fn members(group: &Path) -> Vec<i32> {
    numbers(&std::fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default())
}

/// The processes that `cgroup.procs` names. The file has 0 for a process of a foreign pid namespace; in a
/// call of the kernel 0 would mean the caller itself.
fn numbers(procs: &str) -> Vec<i32> {
    procs.split_whitespace().filter_map(|pid| pid.parse().ok()).filter(|pid| *pid > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn processes_of_foreign_namespaces_are_not_ourselves() {
        assert_eq!(numbers("12\n0\n0\n-1\n7\n"), [12, 7]);
        assert_eq!(numbers(""), [0; 0]);
    }
}
