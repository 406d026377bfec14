//! The steps of containment, in their order. CONTAINMENT.md says why each has its place.

use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::fcntl::{OFlag, open};
use nix::mount::{MntFlags, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::{set_dumpable, set_pdeathsig};
use nix::sys::signal::Signal;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{chdir, fchdir, pivot_root, sethostname, setsid};

use crate::error::{At, StepError};
use crate::identity;
use crate::protocol::Assignment;
use crate::root;
use crate::seccomp::Filter;
use crate::spec::{FileSpec, RUNTIME_API};
use crate::sys::{self, mount};

/// Makes the kernel kill the function before it kills processes of the host.
const OOM_SCORE: &[u8] = b"500";

/// Part one, which does not depend on the function: everything up to the new root. The process already has
/// new pid, mount, net, ipc and uts namespaces and is in its groups ([`enter_groups`]), so that they are the
/// root of its cgroup namespace.
pub(crate) fn prepare_sandbox(devices: &OwnedFd, uid: u32) -> Result<(OwnedFd, TcpListener), StepError> {
    unshare(CloneFlags::CLONE_NEWCGROUP).at("make a cgroup namespace")?;
    setsid().at("leave the terminal")?;
    umask(Mode::from_bits_truncate(0o022));
    std::fs::write("/proc/self/oom_score_adj", OOM_SCORE).at("raise the OOM score")?;
    let listener = network()?;
    let root = new_root(devices, uid)?;
    enter_root(&root)?;
    identity::bound()?;
    Ok((root, listener))
}

/// Part two, for one function. Afterwards the process can only fork, wait and report.
pub(crate) fn assign_function(
    root: OwnedFd,
    assignment: &Assignment,
    mounts: &[OwnedFd],
    ends: [BorrowedFd<'_>; 2],
    uid: u32,
    filter: &Filter,
) -> Result<(), StepError> {
    sethostname(&assignment.hostname).at("set the host name")?;
    fill_root(&root, assignment, mounts)?;
    mount::restrict(root.as_fd(), mount::READ_ONLY).at("make the root read-only")?;
    drop(root);
    place_descriptors(ends)?;
    chdir(&assignment.cwd).at(format!("change to {}", assignment.cwd.display()))?;
    identity::limit_resources(assignment.processes_max.into())?;
    identity::become_user(uid, uid)?;
    set_dumpable(false).at("forbid reading this process")?;
    set_pdeathsig(Signal::SIGKILL).at("tie to the launcher's life")?;
    filter.install().map_err(|error| StepError { step: format!("install the filter: {error}"), errno: 0 })
}

/// Enters the groups of version 1 before anything else, so that everything made later is charged to them.
pub(crate) fn enter_groups(groups: Vec<File>) -> Result<(), StepError> {
    for mut procs in groups {
        procs.write_all(b"0").at("enter the control group")?;
    }
    Ok(())
}

fn network() -> Result<TcpListener, StepError> {
    let any =
        socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).at("open a socket")?;
    sys::fd::loopback_up(any.as_fd()).at("set lo up")?;
    let listener = TcpListener::bind(RUNTIME_API).at("listen for the Runtime API")?;
    listener.set_nonblocking(true).at("listen for the Runtime API")?;
    Ok(listener)
}

fn new_root(devices: &OwnedFd, uid: u32) -> Result<OwnedFd, StepError> {
    let root = root::skeleton()?;
    for (path, content) in accounts(uid) {
        let file = FileSpec { path: path.into(), mode: 0o644, content: content.into_bytes() };
        root::write_file(&root, &file)?;
    }
    let old = open("/", OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
        .at("open the old root")?;
    mount::attach(root.as_fd(), old.as_fd()).at("mount the root")?;
    root::attach(&root, devices, Path::new("/dev"))?;
    root::proc::mount_at(root.as_fd())?;
    Ok(root)
}

/// The files of `/etc` that need the user id; a specification may replace them.
fn accounts(uid: u32) -> [(&'static str, String); 4] {
    let user = "sbx_user1051";
    let passwd = format!("root:x:0:0:root:/root:/sbin/nologin\n{user}:x:{uid}:{uid}::/tmp:/sbin/nologin\n");
    [
        ("/etc/passwd", passwd),
        ("/etc/group", format!("root:x:0:\n{user}:x:{uid}:\n")),
        ("/etc/hosts", "127.0.0.1 localhost\n".into()),
        ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n".into()),
    ]
}

fn enter_root(root: &OwnedFd) -> Result<(), StepError> {
    fchdir(root).at("enter the root")?;
    pivot_root(".", ".").at("change the root")?;
    umount2(".", MntFlags::MNT_DETACH).at("leave the old root")?;
    chdir("/").at("enter the root")
}

fn fill_root(root: &OwnedFd, assignment: &Assignment, mounts: &[OwnedFd]) -> Result<(), StepError> {
    assignment.files.iter().try_for_each(|file| root::write_file(root, file))?;
    for (source, target) in mounts.iter().zip(&assignment.targets) {
        root::bind(root, source, target)?;
    }
    assignment.symlinks.iter().try_for_each(|symlink| root::link(root, symlink))?;
    let shared = root::memory_folder((assignment.memory_mib / 2).max(1))?;
    root::attach(root, &shared, Path::new("/dev/shm"))?;
    match mounts.get(assignment.targets.len()).filter(|_| assignment.volume) {
        Some(volume) => root::attach(root, volume, Path::new("/tmp")),
        None => root::attach(root, root::memory_folder(assignment.tmp_mib)?, Path::new("/tmp")),
    }
}

/// Puts the sandbox's own `/dev/null` at 0 (the earlier one belongs to the host), the output at 1 and 2, the
/// status socket at [`crate::init::STATUS`].
fn place_descriptors([output, status]: [BorrowedFd<'_>; 2]) -> Result<(), StepError> {
    debug_assert!(output.as_raw_fd() > crate::init::CHANNEL && status.as_raw_fd() > crate::init::CHANNEL);
    let null = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty()).at("open /dev/null")?;
    sys::fd::place(null.as_fd(), 0, false).at("place standard input")?;
    sys::fd::place(output, 1, false).at("place standard output")?;
    sys::fd::place(output, 2, false).at("place standard error")?;
    sys::fd::place(status, crate::init::STATUS, true).at("place the status socket")
}
