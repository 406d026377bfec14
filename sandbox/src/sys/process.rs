//! Making, signalling and ending processes.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// The two sides of a clone.
#[derive(Debug)]
pub(crate) enum Cloned {
    /// This is the new process.
    Child,
    /// This is the process that called.
    Parent(Child),
}

/// A child of this process.
#[derive(Debug)]
pub(crate) struct Child {
    /// The process id as the caller's pid namespace has it.
    pub(crate) pid: i32,
    /// Becomes readable when it has ended.
    pub(crate) pidfd: OwnedFd,
}

/// Clones the calling process, which must have no other thread. The child runs on a copy of the caller's
/// stack and must end by exec or by [`exit`]; it must never return to the caller's caller.
pub(crate) fn clone(flags: u64, cgroup: Option<BorrowedFd<'_>>) -> io::Result<Cloned> {
    let mut pidfd: RawFd = -1;
    // SAFETY: all-zero bytes are a valid `clone_args`.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = flags | libc::CLONE_PIDFD.cast_unsigned() as u64;
    args.pidfd = (&raw mut pidfd) as u64;
    args.exit_signal = libc::SIGCHLD.cast_unsigned().into();
    if let Some(cgroup) = cgroup {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = cgroup.as_raw_fd().cast_unsigned().into();
    }
    // SAFETY: like fork: no CLONE_VM, no other thread; `args` and `pidfd` outlive the call.
    let result = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of::<libc::clone_args>()) };
    match super::check(result)? {
        0 => Ok(Cloned::Child),
        pid => {
            let pid = i32::try_from(pid).map_err(io::Error::other)?;
            Ok(Cloned::Parent(Child { pid, pidfd: super::fd::own(pidfd) }))
        }
    }
}

/// Forks by the old system call, which the filter allows; returns `None` in the new process. The contract is
/// that of [`clone`].
pub(crate) fn fork() -> io::Result<Option<i32>> {
    // SAFETY: the caller has no other thread, so the child may do what any process may.
    let result = unsafe { libc::fork() };
    super::check(result.into()).map(|_| (result != 0).then_some(result))
}

/// Waits for any child to end and reaps it. Returns its process id and its status as `wait(2)` gives it.
pub(crate) fn wait_any() -> io::Result<(i32, i32)> {
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    let pid = unsafe { libc::waitpid(-1, &raw mut status, 0) };
    super::check(pid.into()).map(|_| (pid, status))
}

/// Reaps the child of `pidfd` if it has ended; never waits.
pub(crate) fn reap(pidfd: BorrowedFd<'_>) -> io::Result<()> {
    let flags = libc::WEXITED | libc::WNOHANG;
    let id = pidfd.as_raw_fd().cast_unsigned();
    // SAFETY: a null siginfo is allowed: nothing is reported but the result.
    let result = unsafe { libc::waitid(libc::P_PIDFD, id, std::ptr::null_mut(), flags) };
    super::check(result.into()).map(drop)
}

/// libc does not have it as an unsigned value.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Ends the calling process at once: no destructor runs, no buffer is flushed.
pub(crate) fn exit(code: i32) -> ! {
    // SAFETY: `_exit` touches no memory of this process.
    unsafe { libc::_exit(code) }
}

/// Opens a descriptor of the process that has this id now.
pub(crate) fn open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: takes numbers only.
    let fd = super::check(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    RawFd::try_from(fd).map(super::fd::own).map_err(io::Error::other)
}

/// Sends SIGKILL to exactly the process of `pidfd`.
pub(crate) fn kill(pidfd: BorrowedFd<'_>) -> io::Result<()> {
    let info: *const libc::siginfo_t = std::ptr::null();
    // SAFETY: a null siginfo is allowed and means a plain kill.
    let result =
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), libc::SIGKILL, info, 0) };
    super::check(result).map(drop)
}

/// Gives every signal its default action, because Rust's start-up code changes some.
pub(crate) fn default_signals() {
    for signal in 1..=64 {
        // SAFETY: SIG_DFL is no handler. EINVAL for SIGKILL, SIGSTOP and libc's own is expected.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Ignores the signals that a terminal or a service manager sends to a whole group.
pub(crate) fn ignore_group_signals() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGPIPE] {
        // SAFETY: SIG_IGN is no handler.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// Sets and locks the securebits: user id 0 gives no capabilities, and none can be raised or kept.
pub(crate) fn lock_securebits() -> io::Result<()> {
    // KEEP_CAPS itself stays off; NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE on; all four locked.
    const BITS: libc::c_ulong = 0b1110_1111;
    // SAFETY: an integer argument.
    let result = unsafe { libc::prctl(libc::PR_SET_SECUREBITS, BITS, 0, 0, 0) };
    super::check(result.into()).map(drop)
}
