//! What a process may do: its user, groups, capabilities and limits.

use caps::{CapSet, Capability, CapsHashSet};
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};

use crate::error::{At, StepError};
use crate::sys;

/// The capabilities that the launcher keeps; each is needed for one part of a sandbox.
const LAUNCHER: [Capability; 11] = [
    Capability::CAP_SYS_ADMIN, // namespaces, mounts, loop devices
    Capability::CAP_NET_ADMIN, // `lo` up
    Capability::CAP_SETUID,    // the sandbox's user
    Capability::CAP_SETGID,
    Capability::CAP_SETPCAP,      // empty bounding set, securebits
    Capability::CAP_MKNOD,        // /dev
    Capability::CAP_CHOWN,        // the output pipe's owner
    Capability::CAP_FOWNER,       // mode of /tmp
    Capability::CAP_DAC_OVERRIDE, // sources in folders of the unprivileged server
    Capability::CAP_KILL,         // processes of other users
    Capability::CAP_SYS_RESOURCE, // hard limits above the launcher's own
];

/// A maker makes and mounts images.
pub(crate) const MAKER: [Capability; 1] = [Capability::CAP_SYS_ADMIN];

/// The guardian kills processes of other users and removes groups, whose parent folder may be writable for no
/// user.
pub(crate) const GUARDIAN: [Capability; 2] = [Capability::CAP_KILL, Capability::CAP_DAC_OVERRIDE];

/// Leaves the launcher only what [`LAUNCHER`] lists.
pub(crate) fn keep_launcher_capabilities() -> Result<(), StepError> {
    keep(&LAUNCHER)
}

/// Leaves the calling process these capabilities and prevents that exec ever gives it others. One that is
/// missing from the start stays missing; the step that needs it fails with a clear error.
pub(crate) fn keep(capabilities: &[Capability]) -> Result<(), StepError> {
    let step = "keep capabilities";
    let held = caps::read(None, CapSet::Permitted).map_err(|error| failed(step, &error))?;
    let kept: CapsHashSet =
        capabilities.iter().copied().filter(|capability| held.contains(capability)).collect();
    nix::sys::prctl::set_no_new_privs().at("set no_new_privs")?;
    drop_bounding(&kept)?;
    for (set, value) in
        [(CapSet::Inheritable, &CapsHashSet::new()), (CapSet::Effective, &kept), (CapSet::Permitted, &kept)]
    {
        caps::set(None, set, value).map_err(|error| failed(step, &error))?;
    }
    Ok(())
}

/// Whether the calling process may make sandboxes.
pub(crate) fn has_admin() -> bool {
    caps::has_cap(None, CapSet::Effective, Capability::CAP_SYS_ADMIN).unwrap_or(false)
}

/// Gives up every right permanently: supplementary groups, group, user, all capability sets with the bounding
/// set, and the gain of rights by exec (`no_new_privs`).
///
/// It concerns the calling thread: call it before any other thread exists.
///
/// # Errors
/// The first step that the kernel refuses; the process must then end.
pub fn drop_privileges(uid: u32, gid: u32) -> Result<(), StepError> {
    bound()?;
    become_user(uid, gid)
}

/// The part that takes no right away yet. From here on no exec and no change of user can add one.
pub(crate) fn bound() -> Result<(), StepError> {
    drop_bounding(&CapsHashSet::new())?;
    sys::process::lock_securebits().at("lock securebits")
}

/// The part that takes every right away.
pub(crate) fn become_user(uid: u32, gid: u32) -> Result<(), StepError> {
    setgroups(&[]).at("drop supplementary groups")?;
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    setresgid(gid, gid, gid).at("set the group")?;
    setresuid(uid, uid, uid).at("set the user")?;
    for set in [CapSet::Ambient, CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
        caps::clear(None, set).map_err(|error| failed("drop capabilities", &error))?;
    }
    nix::sys::prctl::set_no_new_privs().at("set no_new_privs")
}

fn drop_bounding(kept: &CapsHashSet) -> Result<(), StepError> {
    for capability in caps::all() {
        let unknown =
            !kept.contains(&capability) && caps::has_cap(None, CapSet::Bounding, capability).is_err();
        if kept.contains(&capability) || unknown {
            continue; // this kernel is older than the capability
        }
        caps::drop(None, CapSet::Bounding, capability)
            .map_err(|error| failed("empty the bounding set", &error))?;
    }
    Ok(())
}

fn failed(step: &str, error: &caps::errors::CapsError) -> StepError {
    StepError { step: format!("{step}: {error}"), errno: 0 }
}

/// Switches core dumps off permanently for the calling process and all that it starts: they would be written,
/// or piped to a program, outside every sandbox. A limit of 1 refuses both; 0 refuses files only.
pub(crate) fn forbid_core_dumps() -> Result<(), StepError> {
    setrlimit(Resource::RLIMIT_CORE, 1, 1)
        .at("set RLIMIT_CORE to 1 (start with a hard limit of at least that: ulimit -Hc, LimitCORE=)")
}

/// Sets the limits of AWS [fact:process-limits], except that of core dumps: see [`forbid_core_dumps`].
pub(crate) fn limit_resources(processes_max: u64) -> Result<(), StepError> {
    let limits = [
        (Resource::RLIMIT_NOFILE, 1024, 1024),
        (Resource::RLIMIT_NPROC, processes_max, processes_max),
        (Resource::RLIMIT_MEMLOCK, 65_536, 65_536),
        (Resource::RLIMIT_STACK, 8 << 20, RLIM_INFINITY),
    ];
    for (resource, soft, hard) in limits {
        let step = || format!("set {resource:?}");
        // Without CAP_SYS_RESOURCE a hard limit can only be lowered; then the machine's own limit stays.
        let (_, most) = getrlimit(resource).at(step())?;
        setrlimit(resource, soft.min(most), hard.min(most)).at(step())?;
    }
    Ok(())
}
