//! System calls that no dependency wraps. It is the only module of the crate with `unsafe` code.
//!
//! Each function makes one kernel call, converts its result, and decides nothing.

#![expect(unsafe_code, reason = "the one place for calls that nix and std do not wrap")]

pub(crate) mod fd;
pub(crate) mod loop_device;
pub(crate) mod mount;
pub(crate) mod process;
pub(crate) mod socket;

use std::io;

/// Turns the result of a raw system call into a `Result`.
fn check(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
