//! Version 1: one folder in each of the hierarchies `memory`, `cpu`, `pids` and `freezer`.
//!
//! One empty group stays frozen for the launcher's life: the first freeze and the last thaw on a machine
//! patch the kernel's code (100 µs each), all others cost 1 µs.

use std::fs::File;
use std::path::{Path, PathBuf};

use cgroups_rs::fs::cgroup::get_cgroups_relative_paths;
use cgroups_rs::fs::cpu::CpuController;
use cgroups_rs::fs::freezer::FreezerController;
use cgroups_rs::fs::hierarchies::V1;
use cgroups_rs::fs::memory::MemController;
use cgroups_rs::fs::pid::PidController;
use cgroups_rs::fs::{Controller, Controllers, MaxValue};

use super::{
    CPU_PERIOD_US, Group, GroupEntry, GroupLimits, HandleKind, Handles, Hierarchy, OomWatch, below, missing,
    open, remove, step, sweep, write,
};
use crate::error::{At, StartFailure, StepError};

/// Name of the group that stays frozen.
const FROZEN: &str = "frozen";
/// CPU shares of one whole CPU.
const SHARES_PER_CPU: u64 = 1024;

/// The folder of this instance in each hierarchy.
#[derive(Debug)]
pub(super) struct Legacy {
    memory: PathBuf,
    cpu: PathBuf,
    pids: PathBuf,
    freezer: PathBuf,
}

impl Legacy {
    pub(super) fn find(name: &str) -> Result<Self, StartFailure> {
        let mounts = V1::new();
        let own = step(get_cgroups_relative_paths(), "/proc/self/cgroup".as_ref(), "read own groups")?;
        let folder = |controller: Controllers| {
            let (key, remedy) =
                (controller.to_string(), "mount it under /sys/fs/cgroup, or boot with cgroup v2");
            let (point, root) = mounts.get_mount_point(controller).ok_or_else(|| missing(&key, remedy))?;
            let path = own.get(&key).ok_or_else(|| missing(&key, remedy))?;
            Ok::<_, StartFailure>(below(&point, &root, path).join(name))
        };
        Ok(Self {
            memory: folder(Controllers::Mem)?,
            cpu: folder(Controllers::Cpu)?,
            pids: folder(Controllers::Pids)?,
            freezer: folder(Controllers::Freezer)?,
        })
    }

    fn folders(&self) -> [&PathBuf; 4] {
        [&self.freezer, &self.memory, &self.cpu, &self.pids]
    }
}

/// Thaws the group and lifts its CPU quota, if `folder` belongs to one of these controllers.
fn release(folder: &Path) {
    // Fails if the controller is another one or the group is gone; then there is nothing to lift.
    let _ = write(folder, "freezer.state", "THAWED");
    let _ = write(folder, "cpu.cfs_quota_us", "-1");
}

impl Hierarchy for Legacy {
    fn create(&self, name: &str) -> Result<Box<dyn Group>, StepError> {
        let root = PathBuf::from("/");
        let group = LegacyGroup {
            memory: MemController::new(self.memory.join(name), root.clone(), false),
            cpu: CpuController::new(self.cpu.join(name), root.clone(), false),
            pids: PidController::new(self.pids.join(name), root.clone(), false),
            freezer: FreezerController::new(self.freezer.join(name), root, false),
            procs: Vec::new(),
        };
        for controller in group.controllers() {
            step(controller.create(), controller.path(), "make the group")?;
        }
        let mut procs = Vec::with_capacity(4);
        for controller in group.controllers() {
            procs.push(open(controller.path(), "cgroup.procs", true)?);
        }
        Ok(Box::new(LegacyGroup { procs, ..group }))
    }

    fn sweep(&self) -> Result<(), StepError> {
        sweep::clear(&self.folders(), release)
    }

    fn make(&self) -> Result<(), StepError> {
        for folder in self.folders() {
            std::fs::create_dir_all(folder).at(format!("make {}", folder.display()))?;
        }
        let frozen = self.freezer.join(FROZEN);
        std::fs::create_dir(&frozen).at(format!("make {}", frozen.display()))?;
        write(&frozen, "freezer.state", "FROZEN")
    }

    fn remove(&self) {
        remove(&self.freezer.join(FROZEN));
        for folder in self.folders() {
            remove(folder);
        }
    }
}

#[derive(Debug)]
struct LegacyGroup {
    memory: MemController,
    cpu: CpuController,
    pids: PidController,
    freezer: FreezerController,
    procs: Vec<File>,
}

impl LegacyGroup {
    fn controllers(&self) -> [&dyn Controller; 4] {
        [&self.freezer, &self.memory, &self.cpu, &self.pids]
    }
}

impl Group for LegacyGroup {
    fn entry(&mut self) -> GroupEntry {
        GroupEntry::Join(std::mem::take(&mut self.procs))
    }

    fn limit(&self, limits: GroupLimits) -> Result<(), StepError> {
        let memory = self.memory.path();
        step(self.memory.set_limit(limits.memory()), memory, "limit memory")?;
        if memory.join("memory.memsw.limit_in_bytes").exists() {
            step(self.memory.set_memswap_limit(limits.memory()), memory, "limit swap")?;
        }
        let shares = u64::from(limits.cpu_quota_permille) * SHARES_PER_CPU / 1000;
        step(self.cpu.set_shares(shares.max(2)), self.cpu.path(), "set CPU shares")?;
        step(self.cpu.set_cfs_period(CPU_PERIOD_US), self.cpu.path(), "set CPU period")?;
        write(self.cpu.path(), "cpu.cfs_quota_us", &limits.init_quota_us().to_string())?;
        step(self.pids.set_pid_max(MaxValue::Value(limits.processes())), self.pids.path(), "limit processes")
    }

    fn handles(&self, limits: GroupLimits) -> Result<Handles, StepError> {
        Ok(Handles {
            kind: HandleKind::V1 { quota_us: limits.quota_us() },
            freeze: open(self.freezer.path(), "freezer.state", true)?.into(),
            cpu: open(self.cpu.path(), "cpu.cfs_quota_us", true)?.into(),
            peak: open(self.memory.path(), "memory.max_usage_in_bytes", false)?.into(),
            events: open(self.memory.path(), "memory.oom_control", false)?.into(),
            stat: open(self.memory.path(), "memory.stat", false)?.into(),
        })
    }

    fn oom_watch(&self) -> Option<OomWatch> {
        OomWatch::v1(self.memory.path())
    }

    fn release(&self) {
        release(self.freezer.path());
        release(self.cpu.path());
    }

    fn remove(&self) -> bool {
        self.controllers().iter().all(|controller| remove(controller.path()))
    }
}
