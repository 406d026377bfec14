//! Loop devices: finding a free one and configuring it.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// `struct loop_config` of `linux/loop.h`.
#[repr(C)]
struct LoopConfig {
    fd: u32,
    block_size: u32,
    info: LoopInfo,
    reserved: [u64; 8],
}

/// `struct loop_info64` of `linux/loop.h`.
#[repr(C)]
struct LoopInfo {
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    size_limit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; 64],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

const LOOP_CTL_GET_FREE: libc::Ioctl = 0x4C82;
const LOOP_CONFIGURE: libc::Ioctl = 0x4C0A;
/// The device releases its file when its last user closes it.
pub(crate) const AUTO_CLEAR: u32 = 4;
/// The file is read and written past the page cache.
pub(crate) const DIRECT_IO: u32 = 16;

/// Returns the number of a loop device that was free a moment ago.
pub(crate) fn free_number(control: &File) -> io::Result<libc::c_long> {
    // SAFETY: takes no argument.
    let result = unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE) };
    super::check(result.into())
}

/// Attaches `backing` to `device`; EBUSY when another process has taken the device.
pub(crate) fn configure(device: &File, backing: impl AsFd, flags: u32) -> io::Result<()> {
    // SAFETY: all-zero bytes are a valid `LoopConfig`.
    let mut config: LoopConfig = unsafe { std::mem::zeroed() };
    config.fd = backing.as_fd().as_raw_fd().cast_unsigned();
    config.info.flags = flags;
    // SAFETY: LOOP_CONFIGURE reads one `LoopConfig`, which outlives the call.
    let result = unsafe { libc::ioctl(device.as_raw_fd(), LOOP_CONFIGURE, &raw const config) };
    super::check(result.into()).map(drop)
}
