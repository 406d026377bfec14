//! What the launcher sets up once: its own namespace, the groups, the user ids, the stock of volumes.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::cgroup::{self, Hierarchy};
use crate::config::LauncherConfig;
use crate::error::{At, StartFailure, StepError};
use crate::identity;
use crate::kernel::kernel_suffices;
use crate::root::devices::Devices;
use crate::seccomp::Filter;
use crate::sources::Sources;
use crate::uids::{Uids, private_folder, try_lock};
use crate::volume::Stock;

/// How long the launcher waits for a predecessor that is still shutting down.
const PREDECESSOR_WAIT: Duration = Duration::from_secs(20);
const PREDECESSOR_PAUSE: Duration = Duration::from_millis(20);

/// Everything that sandboxes are made from.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) groups: Box<dyn Hierarchy>,
    pub(super) uids: Uids,
    pub(super) devices: Devices,
    pub(super) filter: Filter,
    pub(super) sources: Sources,
    pub(super) volumes: Stock,
    pub(super) blank_stock: usize,
    instance: File,
}

impl Machine {
    /// Prepares the process and the machine. Also returns remarks that an operator should read.
    pub(super) fn prepare(config: &LauncherConfig) -> Result<(Self, Vec<String>), StartFailure> {
        check_instance(&config.instance)?;
        if !identity::has_admin() {
            return Err(StartFailure::Capability("CAP_SYS_ADMIN".into()));
        }
        check_kernel()?;
        identity::forbid_core_dumps()?;
        private_folder(&config.volumes_dir)?;
        private_folder(&config.uid_block_dir)?;
        // From here on the folder itself is used, even if its path later leads elsewhere.
        std::env::set_current_dir(&config.volumes_dir).at("enter the folder of volumes")?;
        let instance = lock_instance(config)?;
        raise_open_files()?;
        set_child_subreaper(true).at("become a subreaper")?;
        own_namespace()?;
        // Opened after `own_namespace`, because the kernel copies only mounts of the caller's own namespace.
        let sources = Sources::open(config)?;
        let groups = cgroup::detect(&config.instance)?;
        groups.sweep()?;
        groups.make()?;
        let uids = Uids::claim(&config.uid_block_dir)?;
        let devices = Devices::make(&stage()?)?;
        let filter = Filter::compile().map_err(|error| StepError {
            step: format!("compile the system call filter: {error}"),
            errno: 0,
        })?;
        let stock = config.volume_stock.min(64);
        let (volumes, reason) = Stock::start(config.volume_stock_mib, stock)?;
        identity::keep_launcher_capabilities()?;
        let note = |reason| format!("/tmp of functions is memory and counts against their limit: {reason}");
        let notes = reason.map(note).into_iter().collect();
        let blank_stock = config.blank_stock.min(64);
        Ok((Self { groups, uids, devices, filter, sources, volumes, blank_stock, instance }, notes))
    }

    /// The locks by which other launchers know that this instance and its user ids are in use.
    pub(super) fn locks(&self) -> [BorrowedFd<'_>; 2] {
        [self.instance.as_fd(), self.uids.lock()]
    }

    /// A copy of `/dev` for one sandbox.
    pub(super) fn devices(&self) -> Result<OwnedFd, StepError> {
        self.devices.copy()
    }
}

fn check_instance(name: &str) -> Result<(), StartFailure> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=32).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(StartFailure::Instance(name.into()))
}

fn check_kernel() -> Result<(), StartFailure> {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").at("ask for the kernel's release")?;
    if kernel_suffices(&release) {
        return Ok(());
    }
    Err(StartFailure::Kernel { release: release.trim().to_owned() })
}

/// Allows one launcher per instance: this process and its guardian hold the lock until they end.
fn lock_instance(config: &LauncherConfig) -> Result<File, StartFailure> {
    let path = config.uid_block_dir.join(format!("instance-{}.lock", config.instance));
    let deadline = Instant::now() + PREDECESSOR_WAIT;
    loop {
        if let Some(lock) = try_lock(&path)? {
            return Ok(lock);
        }
        if Instant::now() > deadline {
            return Err(StartFailure::Busy(config.instance.clone()));
        }
        std::thread::sleep(PREDECESSOR_PAUSE);
    }
}

/// Raises the limit of open files to the hard limit, because the launcher holds three descriptors per
/// sandbox.
fn raise_open_files() -> Result<(), StepError> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).at("read the limit of open files")?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).at("raise the limit of open files")
}

/// Makes a mount namespace, so that the host does not see later mounts of the launcher. Slave rather than
/// private, so that mounts which the host removes do not stay busy because of the launcher.
fn own_namespace() -> Result<(), StepError> {
    unshare(CloneFlags::CLONE_NEWNS).at("make a mount namespace")?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_SLAVE, None::<&str>)
        .at("keep mounts from the host")
}

/// A folder to mount on, in the current folder.
fn stage() -> Result<PathBuf, StepError> {
    let stage = PathBuf::from("stage");
    private_folder(&stage)?;
    Ok(stage)
}
