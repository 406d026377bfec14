//! The descriptor-based mount API (Linux 5.2 and later; `mount_setattr` 5.12).
//!
//! Mounts made here are detached: they are in no namespace until [`attach`] attaches them, and end with their
//! last descriptor.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// Attributes of a mount, for `mount_setattr(2)`.
pub(crate) const READ_ONLY: u64 = libc::MOUNT_ATTR_RDONLY;
pub(crate) const NO_SUID: u64 = libc::MOUNT_ATTR_NOSUID;
pub(crate) const NO_DEV: u64 = libc::MOUNT_ATTR_NODEV;
pub(crate) const NO_EXEC: u64 = libc::MOUNT_ATTR_NOEXEC;

const EMPTY_PATH: libc::c_uint = libc::AT_EMPTY_PATH as libc::c_uint;
const OPEN_TREE_CLONE: libc::c_uint = 1;
const OPEN_TREE_CLOEXEC: libc::c_uint = libc::O_CLOEXEC as libc::c_uint;
const MOVE_MOUNT_F_EMPTY_PATH: libc::c_uint = 0x4;
const MOVE_MOUNT_T_EMPTY_PATH: libc::c_uint = 0x40;
const FSOPEN_CLOEXEC: libc::c_uint = 1;
const FSMOUNT_CLOEXEC: libc::c_uint = 1;
const FSCONFIG_SET_FLAG: libc::c_uint = 0;
const FSCONFIG_SET_STRING: libc::c_uint = 1;
const FSCONFIG_CMD_CREATE: libc::c_uint = 6;

fn number(result: libc::c_long) -> io::Result<OwnedFd> {
    let fd = super::check(result)?;
    RawFd::try_from(fd).map(super::fd::own).map_err(io::Error::other)
}

/// Makes a detached copy of the mount at `place`, without the mounts below it.
pub(crate) fn copy(place: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | EMPTY_PATH;
    // SAFETY: a live descriptor and a static empty string.
    number(unsafe { libc::syscall(libc::SYS_open_tree, place.as_raw_fd(), c"".as_ptr(), flags) })
}

/// Adds attributes to a mount and makes it private: later mounts at or below its original do not appear in
/// it.
pub(crate) fn restrict(mount: BorrowedFd<'_>, attributes: u64) -> io::Result<()> {
    let attr =
        libc::mount_attr { attr_set: attributes, attr_clr: 0, propagation: libc::MS_PRIVATE, userns_fd: 0 };
    let size = size_of::<libc::mount_attr>();
    // SAFETY: `attr` outlives the call and `size` is its size.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            EMPTY_PATH,
            &raw const attr,
            size,
        )
    };
    super::check(result).map(drop)
}

/// Attaches a detached mount at `place`.
pub(crate) fn attach(mount: BorrowedFd<'_>, place: BorrowedFd<'_>) -> io::Result<()> {
    let flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    let (mount, place, empty) = (mount.as_raw_fd(), place.as_raw_fd(), c"".as_ptr());
    // SAFETY: two live descriptors and static empty strings.
    let result = unsafe { libc::syscall(libc::SYS_move_mount, mount, empty, place, empty, flags) };
    super::check(result).map(drop)
}

/// Mounts a new instance of a file system, detached. An option without a value is a flag.
pub(crate) fn create(
    kind: &CStr,
    options: &[(&CStr, Option<&CStr>)],
    attributes: u64,
) -> io::Result<OwnedFd> {
    // SAFETY: a C string that outlives the call.
    let context = number(unsafe { libc::syscall(libc::SYS_fsopen, kind.as_ptr(), FSOPEN_CLOEXEC) })?;
    for (key, value) in options {
        match value {
            Some(value) => configure(&context, FSCONFIG_SET_STRING, Some(key), Some(value))?,
            None => configure(&context, FSCONFIG_SET_FLAG, Some(key), None)?,
        }
    }
    configure(&context, FSCONFIG_CMD_CREATE, None, None)?;
    // SAFETY: a live descriptor and integer flags.
    number(unsafe { libc::syscall(libc::SYS_fsmount, context.as_raw_fd(), FSMOUNT_CLOEXEC, attributes) })
}

fn configure(
    context: &OwnedFd,
    command: libc::c_uint,
    key: Option<&CStr>,
    value: Option<&CStr>,
) -> io::Result<()> {
    let key = key.map_or(std::ptr::null(), CStr::as_ptr);
    let value = value.map_or(std::ptr::null(), CStr::as_ptr);
    // SAFETY: null or C strings that outlive the call.
    let result = unsafe { libc::syscall(libc::SYS_fsconfig, context.as_raw_fd(), command, key, value, 0) };
    super::check(result).map(drop)
}
