//! `/dev`: five harmless devices and the usual links; no terminal, no disk, no `kmsg`. It is made once per
//! launcher, and every sandbox gets a read-only copy of the mount.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, SFlag, fchmodat, makedev, mkdirat, mknodat};
use nix::unistd::symlinkat;

use crate::error::{At, StepError};
use crate::sys::mount;

const DEVICES: [(&str, u64, u64); 5] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9)];
const LINKS: [(&str, &str); 4] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];

/// The `/dev` that all sandboxes of this launcher share.
#[derive(Debug)]
pub(crate) struct Devices {
    mount: OwnedFd,
}

impl Devices {
    /// Makes the devices. The mount is attached at `stage` in the launcher's own namespace, because kernels
    /// before 6.15 copy only attached mounts.
    pub(crate) fn make(stage: &Path) -> Result<Self, StepError> {
        let options = [(c"mode", Some(c"755")), (c"size", Some(c"64k"))];
        let mount = mount::create(c"tmpfs", &options, mount::NO_SUID | mount::NO_EXEC).at("mount /dev")?;
        let mode = Mode::from_bits_truncate(0o666);
        for (name, major, minor) in DEVICES {
            let step = || format!("make /dev/{name}");
            mknodat(&mount, name, SFlag::S_IFCHR, mode, makedev(major, minor)).at(step())?;
            fchmodat(&mount, name, mode, nix::sys::stat::FchmodatFlags::FollowSymlink).at(step())?;
        }
        for (name, to) in LINKS {
            symlinkat(to, &mount, name).at(format!("link /dev/{name}"))?;
        }
        mkdirat(&mount, "shm", Mode::from_bits_truncate(0o755)).at("make /dev/shm")?;
        mkdirat(&mount, "empty", Mode::from_bits_truncate(0o555)).at("make /dev/empty")?;
        let place =
            nix::fcntl::open(stage, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
                .at(format!("open {}", stage.display()))?;
        mount::attach(mount.as_fd(), place.as_fd()).at(format!("mount {}", stage.display()))?;
        Ok(Self { mount })
    }

    /// A read-only, detached copy for one sandbox.
    pub(crate) fn copy(&self) -> Result<OwnedFd, StepError> {
        let copy = mount::copy(self.mount.as_fd()).at("copy /dev")?;
        mount::restrict(copy.as_fd(), mount::READ_ONLY).at("make /dev read-only")?;
        Ok(copy)
    }
}
