//! Descriptors: ownership, closing ranges, setting `lo` up.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Takes ownership of a descriptor that the kernel has just returned.
pub(crate) fn own(fd: RawFd) -> OwnedFd {
    // SAFETY: the callers pass a descriptor that a system call has just returned and nothing else owns.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Standard input, which is the launcher's socket.
pub(crate) fn stdin() -> OwnedFd {
    own(libc::STDIN_FILENO)
}

/// Closes every descriptor from `first` on. Only for a process that never drops the values which own them: it
/// ends by exec or by [`super::process::exit`].
pub(crate) fn close_from(first: RawFd) -> io::Result<()> {
    // SAFETY: takes numbers only; the caller's contract covers the descriptors it closes.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) };
    super::check(result).map(drop)
}

/// Makes `number` refer to what `fd` refers to; exec keeps it open unless `cloexec`.
pub(crate) fn place(fd: BorrowedFd<'_>, number: RawFd, cloexec: bool) -> io::Result<()> {
    if fd.as_raw_fd() == number {
        let flags = if cloexec { libc::FD_CLOEXEC } else { 0 };
        // SAFETY: fcntl on a live descriptor with an integer argument.
        let result = unsafe { libc::fcntl(number, libc::F_SETFD, flags) };
        return super::check(result.into()).map(drop);
    }
    let flags = if cloexec { libc::O_CLOEXEC } else { 0 };
    // SAFETY: dup3 on a live descriptor; what `number` referred to is closed, as the caller wants.
    let result = unsafe { libc::dup3(fd.as_raw_fd(), number, flags) };
    super::check(result.into()).map(drop)
}

/// Borrows a descriptor by its number, for a process that has placed it there itself.
pub(crate) fn borrow(number: RawFd) -> BorrowedFd<'static> {
    // SAFETY: the callers placed `number` by `place` and keep it open until exec or exit.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// `IFF_UP | IFF_RUNNING` as `ifreq` has them.
const UP: libc::c_short = 0x41;

/// Sets the interface `lo` of the calling process's network namespace up.
pub(crate) fn loopback_up(socket: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: all-zero bytes are a valid `ifreq`.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(c"lo".to_bytes()) {
        *to = libc::c_char::from_ne_bytes([*from]); // signed on some architectures
    }
    request.ifr_ifru.ifru_flags = UP;
    // SAFETY: SIOCSIFFLAGS reads one `ifreq`, which outlives the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    super::check(result.into()).map(drop)
}
