//! Version 2: one folder per sandbox in the unified hierarchy.
//!
//! A group that enables controllers for its children must not contain processes, so the server and the
//! launcher first move to the child `supervisor`, unless the service manager has started them there
//! (`DelegateSubgroup=supervisor`).

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use cgroups_rs::fs::cgroup::get_cgroups_relative_paths;
use cgroups_rs::fs::cpu::CpuController;
use cgroups_rs::fs::hierarchies::UNIFIED_MOUNTPOINT;
use cgroups_rs::fs::memory::MemController;
use cgroups_rs::fs::pid::PidController;
use cgroups_rs::fs::{Controller, MaxValue};

use super::{
    CPU_PERIOD_US, Group, GroupEntry, GroupLimits, HandleKind, Handles, Hierarchy, OomWatch, missing, open,
    remove, step, sweep, write,
};
use crate::error::{At, StartFailure, StepError};

const SUPERVISOR: &str = "supervisor";
const CONTROLLERS: [&str; 3] = ["memory", "cpu", "pids"];
/// CPU weight of one whole CPU.
const WEIGHT_PER_CPU: u64 = 100;

/// The folder of this instance.
#[derive(Debug)]
pub(super) struct Unified {
    instance: PathBuf,
}

impl Unified {
    pub(super) fn find(name: &str) -> Result<Self, StartFailure> {
        let own = step(get_cgroups_relative_paths(), "/proc/self/cgroup".as_ref(), "read own groups")?;
        let path = own.get("").map_or("/", String::as_str);
        let here = Path::new(UNIFIED_MOUNTPOINT).join(path.trim_start_matches('/'));
        let base = match here.parent() {
            Some(parent) if here.ends_with(SUPERVISOR) => parent.to_owned(),
            _ => here,
        };
        let offered = std::fs::read_to_string(base.join("cgroup.controllers")).unwrap_or_default();
        for controller in CONTROLLERS {
            if !offered.split_whitespace().any(|name| name == controller) {
                return Err(missing(controller, "delegate it: Delegate=yes in the service's unit"));
            }
        }
        if base != Path::new(UNIFIED_MOUNTPOINT) {
            vacate(&base)?;
        }
        enable(&base)?;
        Ok(Self { instance: base.join(name) })
    }
}

/// Moves every process of `base` to its child `supervisor`.
fn vacate(base: &Path) -> Result<(), StepError> {
    let supervisor = base.join(SUPERVISOR);
    std::fs::create_dir_all(&supervisor).at(format!("make {}", supervisor.display()))?;
    let procs = base.join("cgroup.procs");
    for pid in std::fs::read_to_string(&procs).at(format!("read {}", procs.display()))?.split_whitespace() {
        // A process may have ended since; if one stays, `enable` fails with a clear step.
        let _ = write(&supervisor, "cgroup.procs", pid);
    }
    Ok(())
}

fn enable(folder: &Path) -> Result<(), StepError> {
    let wanted = CONTROLLERS.map(|controller| format!("+{controller}")).join(" ");
    write(folder, "cgroup.subtree_control", &wanted)
}

fn release(folder: &Path) {
    // Fails only if the group is gone; then there is nothing to lift.
    let _ = write(folder, "cgroup.freeze", "0");
    let _ = write(folder, "cpu.max", "max");
}

impl Hierarchy for Unified {
    fn create(&self, name: &str) -> Result<Box<dyn Group>, StepError> {
        let folder = self.instance.join(name);
        std::fs::create_dir(&folder).at(format!("make {}", folder.display()))?;
        let directory = File::open(&folder).at(format!("open {}", folder.display()))?;
        let root = PathBuf::from("/");
        Ok(Box::new(UnifiedGroup {
            memory: MemController::new(folder.clone(), root.clone(), true),
            cpu: CpuController::new(folder.clone(), root.clone(), true),
            pids: PidController::new(folder.clone(), root, true),
            folder,
            directory: Some(directory.into()),
        }))
    }

    fn sweep(&self) -> Result<(), StepError> {
        sweep::clear(&[&self.instance], release)
    }

    fn make(&self) -> Result<(), StepError> {
        std::fs::create_dir(&self.instance).at(format!("make {}", self.instance.display()))?;
        enable(&self.instance)
    }

    fn remove(&self) {
        remove(&self.instance);
    }
}

#[derive(Debug)]
struct UnifiedGroup {
    folder: PathBuf,
    directory: Option<OwnedFd>,
    memory: MemController,
    cpu: CpuController,
    pids: PidController,
}

impl Group for UnifiedGroup {
    fn entry(&mut self) -> GroupEntry {
        self.directory.take().map_or_else(|| GroupEntry::Join(Vec::new()), GroupEntry::Born)
    }

    fn limit(&self, limits: GroupLimits) -> Result<(), StepError> {
        step(self.memory.set_limit(limits.memory()), self.memory.path(), "limit memory")?;
        if self.folder.join("memory.swap.max").exists() {
            step(self.memory.set_memswap_limit(0), self.memory.path(), "forbid swap")?;
        }
        write(&self.folder, "memory.oom.group", "1")?;
        let weight = (u64::from(limits.cpu_quota_permille) * WEIGHT_PER_CPU / 1000).clamp(1, 10_000);
        write(&self.folder, "cpu.weight", &weight.to_string())?;
        let quota = i64::try_from(limits.init_quota_us()).ok();
        step(self.cpu.set_cfs_quota_and_period(quota, Some(CPU_PERIOD_US)), self.cpu.path(), "limit CPU")?;
        step(self.pids.set_pid_max(MaxValue::Value(limits.processes())), self.pids.path(), "limit processes")
    }

    fn handles(&self, limits: GroupLimits) -> Result<Handles, StepError> {
        let peak = open(&self.folder, "memory.peak", false);
        Ok(Handles {
            kind: HandleKind::V2 { quota_us: limits.quota_us(), period_us: CPU_PERIOD_US },
            freeze: open(&self.folder, "cgroup.freeze", true)?.into(),
            cpu: open(&self.folder, "cpu.max", true)?.into(),
            // Before Linux 5.19 there is no memory.peak; the current value is used instead.
            peak: peak.or_else(|_| open(&self.folder, "memory.current", false))?.into(),
            events: open(&self.folder, "memory.events", false)?.into(),
            stat: open(&self.folder, "memory.stat", false)?.into(),
        })
    }

    fn oom_watch(&self) -> Option<OomWatch> {
        OomWatch::v2(&self.folder)
    }

    fn release(&self) {
        release(&self.folder);
    }

    fn remove(&self) -> bool {
        remove(&self.folder)
    }
}
