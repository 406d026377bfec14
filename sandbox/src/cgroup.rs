//! Control groups: one per sandbox, below `lambd-<instance>` in the launcher's own group.
//!
//! [`Hierarchy`] and [`Group`] hide the difference between version 1 and version 2. A group's name is the
//! user id of its sandbox, and a group is never used twice: after a write to `cgroup.kill` the kernel kills
//! every process that is later cloned into the group (seen on 6.1 and 6.18).
//!
//! Only this module and its children use cgroups-rs, and only off the hot path; freezing and reading use the
//! descriptors of [`Handles`].

mod oom;
mod sweep;
mod v1;
mod v2;

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use cgroups_rs::fs::error::Error as GroupError;
use cgroups_rs::fs::hierarchies::is_cgroup2_unified_mode;
use serde::{Deserialize, Serialize};

pub(crate) use self::oom::{OomWatch, count};
use crate::error::{At, StartFailure, StepError};

/// Length of the period in which a CPU quota is counted, in microseconds. It is short, so that a function
/// with a small share waits often but briefly.
const CPU_PERIOD_US: u64 = 20_000;
/// Smallest quota that the kernel accepts, in microseconds.
const CPU_QUOTA_MIN_US: u64 = 1_000;
/// Processes of every sandbox that do not count against the function: its init and one that is just being
/// started.
const PROCESSES_EXTRA: u32 = 2;

/// The limits of one sandbox.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupLimits {
    pub(crate) memory_bytes: u64,
    pub(crate) cpu_quota_permille: u32,
    pub(crate) cpu_init_permille: u32,
    pub(crate) processes_max: u32,
}

impl GroupLimits {
    fn quota_us(self) -> u64 {
        quota_us(self.cpu_quota_permille)
    }

    fn init_quota_us(self) -> u64 {
        quota_us(self.cpu_init_permille)
    }

    fn memory(self) -> i64 {
        i64::try_from(self.memory_bytes).unwrap_or(i64::MAX)
    }

    fn processes(self) -> i64 {
        i64::from(self.processes_max.saturating_add(PROCESSES_EXTRA))
    }
}

fn quota_us(permille: u32) -> u64 {
    (u64::from(permille) * CPU_PERIOD_US / 1000).max(CPU_QUOTA_MIN_US)
}

/// Names the files behind the descriptors of [`Handles`], and the quota to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum HandleKind {
    /// `freezer.state`, `cpu.cfs_quota_us`, `memory.max_usage_in_bytes`, `memory.oom_control`, `memory.stat`.
    V1 { quota_us: u64 },
    /// `cgroup.freeze`, `cpu.max`, `memory.peak`, `memory.events`, `memory.stat`.
    V2 { quota_us: u64, period_us: u64 },
}

/// Open files of a group, by which the API process controls it without the launcher.
#[derive(Debug)]
pub(crate) struct Handles {
    pub(crate) kind: HandleKind,
    pub(crate) freeze: OwnedFd,
    pub(crate) cpu: OwnedFd,
    pub(crate) peak: OwnedFd,
    pub(crate) events: OwnedFd,
    pub(crate) stat: OwnedFd,
}

/// How a new process gets into its group.
#[derive(Debug)]
pub(crate) enum GroupEntry {
    /// It writes itself to each of these `cgroup.procs` files. The child does it and not the launcher,
    /// because the write may wait for an RCU grace period (5–14 ms).
    Join(Vec<File>),
    /// It is cloned into this group.
    Born(OwnedFd),
}

/// The control group hierarchy of this machine, in which groups are made.
pub(crate) trait Hierarchy: std::fmt::Debug {
    /// Makes an empty group without limits.
    fn create(&self, name: &str) -> Result<Box<dyn Group>, StepError>;
    /// Kills and removes what earlier launchers of this instance left, and the parent group.
    fn sweep(&self) -> Result<(), StepError>;
    /// Makes the parent group, after a [`sweep`](Self::sweep).
    fn make(&self) -> Result<(), StepError>;
    /// Removes the parent group; every group in it must have been removed.
    fn remove(&self);
}

/// The group of one sandbox.
pub(crate) trait Group: std::fmt::Debug {
    /// How a process enters the group; can be called once.
    fn entry(&mut self) -> GroupEntry;
    /// Sets the limits of memory and processes, and the CPU quota of the start; [`Handles::cpu`] sets the
    /// later quota.
    fn limit(&self, limits: GroupLimits) -> Result<(), StepError>;
    fn handles(&self, limits: GroupLimits) -> Result<Handles, StepError>;
    /// Reports when the group's memory has run out; `None` when this kernel cannot report it.
    fn oom_watch(&self) -> Option<OomWatch>;
    /// Thaws the group and lifts the CPU quota, so that its processes can die: a dying process would first
    /// have to pay off the group's debt of CPU time.
    fn release(&self);
    /// Removes the group; `false` while a process still lives in it.
    fn remove(&self) -> bool;
}

/// Finds the version of this machine and checks that it has the controllers needed.
pub(crate) fn detect(instance: &str) -> Result<Box<dyn Hierarchy>, StartFailure> {
    let name = format!("lambd-{instance}");
    if is_cgroup2_unified_mode() {
        Ok(Box::new(v2::Unified::find(&name)?))
    } else {
        Ok(Box::new(v1::Legacy::find(&name)?))
    }
}

fn open(folder: &Path, file: &str, write: bool) -> Result<File, StepError> {
    let path = folder.join(file);
    let opened = if write { File::options().write(true).open(&path) } else { File::open(&path) };
    opened.at(format!("open {}", path.display()))
}

fn write(folder: &Path, file: &str, value: &str) -> Result<(), StepError> {
    let path = folder.join(file);
    std::fs::write(&path, value).at(format!("write {value} to {}", path.display()))
}

/// Removes a group; true when it no longer exists.
fn remove(folder: &Path) -> bool {
    match std::fs::remove_dir(folder) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Turns an error of cgroups-rs, which keeps the kernel's reason in its source, into a [`StepError`].
fn step<T>(result: Result<T, GroupError>, folder: &Path, what: &str) -> Result<T, StepError> {
    result.map_err(|error| {
        let cause = std::error::Error::source(&error);
        let errno =
            cause.and_then(|cause| cause.downcast_ref::<io::Error>()).and_then(io::Error::raw_os_error);
        StepError { step: format!("{what} in {}", folder.display()), errno: errno.unwrap_or_default() }
    })
}

fn missing(controller: &str, remedy: &str) -> StartFailure {
    StartFailure::Controller { controller: controller.into(), remedy: remedy.into() }
}

/// The path of a group below the mount point `point`, whose root in the hierarchy is `mount_root`.
fn below(point: &Path, mount_root: &Path, path: &str) -> PathBuf {
    let inner = Path::new(path).strip_prefix(mount_root).unwrap_or_else(|_| Path::new("/"));
    point.join(inner.strip_prefix("/").unwrap_or(inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quota_is_a_share_of_the_period_with_a_floor() {
        for (permille, us) in [(1000, 20_000), (72, 1_440), (1, 1_000), (6000, 120_000)] {
            assert_eq!(quota_us(permille), us, "{permille} permille");
        }
    }

    #[test]
    fn paths_are_translated_through_the_mount() {
        for (point, root, path, want) in [
            ("/sys/fs/cgroup/memory", "/", "/", "/sys/fs/cgroup/memory"),
            ("/sys/fs/cgroup/memory", "/", "/a/b", "/sys/fs/cgroup/memory/a/b"),
            ("/sys/fs/cgroup/memory", "/docker/1", "/docker/1/x", "/sys/fs/cgroup/memory/x"),
            ("/sys/fs/cgroup/memory", "/docker/1", "/elsewhere", "/sys/fs/cgroup/memory"),
        ] {
            assert_eq!(
                below(Path::new(point), Path::new(root), path),
                Path::new(want),
                "{path} under {root}"
            );
        }
    }
}
