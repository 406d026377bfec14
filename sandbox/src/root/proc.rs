//! `/proc` of the sandbox's own processes, with host-wide entries masked.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::fstat;

use super::{attach, open_beneath};
use crate::error::{At, StepError};
use crate::sys::mount;

/// Entries that are shown but read-only, whatever their modes are.
const READ_ONLY: [&str; 5] = ["sys", "sysrq-trigger", "irq", "bus", "fs"];
/// Entries that are covered by an empty file or folder: those that container engines cover by default, and
/// others that show how busy the machine is, with what, and how it was booted. Each costs a blank sandbox
/// about 20 µs.
#[rustfmt::skip]
const MASKED: [&str; 20] = [
    "acpi", "asound", "interrupts", "kcore", "keys", "latency_stats", "sched_debug", "scsi", "timer_list",
    "timer_stats",
    "cmdline", "config.gz", "diskstats", "iomem", "kmsg", "locks", "partitions", "pressure", "schedstat", "softirqs",
];

/// Mounts `/proc` of the calling process's pid namespace and covers its entries. `/dev` must exist: its
/// `null` and its folder `empty` are the covers.
pub(crate) fn mount_at(root: BorrowedFd<'_>) -> Result<(), StepError> {
    let attributes = mount::NO_SUID | mount::NO_DEV | mount::NO_EXEC;
    let proc = mount::create(c"proc", &[], attributes).at("mount /proc")?;
    attach(root, &proc, Path::new("/proc"))?;
    for name in READ_ONLY {
        if let Some(place) = entry(&proc, name)? {
            let copy = mount::copy(place.as_fd()).at(format!("copy /proc/{name}"))?;
            cover(&copy, &place, name)?;
        }
    }
    let null = open_cover(root, "/dev/null")?;
    let empty = open_cover(root, "/dev/empty")?;
    for name in MASKED {
        let Some(place) = entry(&proc, name)? else { continue };
        let kind = fstat(&place).at(format!("stat /proc/{name}"))?;
        let folder = kind.st_mode & libc::S_IFMT == libc::S_IFDIR;
        let copy = mount::copy(if folder { empty.as_fd() } else { null.as_fd() })
            .at(format!("mask /proc/{name}"))?;
        cover(&copy, &place, name)?;
    }
    Ok(())
}

fn open_cover(root: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, StepError> {
    open_beneath(root, Path::new(path), OFlag::O_PATH, nix::sys::stat::Mode::empty())
}

fn cover(copy: &OwnedFd, place: &OwnedFd, name: &str) -> Result<(), StepError> {
    mount::restrict(copy.as_fd(), mount::READ_ONLY).at(format!("make /proc/{name} read-only"))?;
    mount::attach(copy.as_fd(), place.as_fd()).at(format!("cover /proc/{name}"))
}

/// Opens an entry of `/proc` itself, never through a link or mount; `None` when this kernel does not have it.
fn entry(proc: &OwnedFd, name: &str) -> Result<Option<OwnedFd>, StepError> {
    let resolve =
        ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_NO_XDEV;
    let how = OpenHow::new().flags(OFlag::O_PATH | OFlag::O_CLOEXEC).resolve(resolve);
    match openat2(proc, name, how) {
        Ok(place) => Ok(Some(place)),
        Err(nix::Error::ENOENT) => Ok(None),
        Err(errno) => Err(errno).at(format!("open /proc/{name}")),
    }
}
