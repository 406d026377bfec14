//! Receives descriptors, also those of a message that lost some of them: nix returns none of these, and they
//! would stay open.

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// One received message.
#[derive(Debug)]
pub(crate) struct RawMessage {
    /// Length of the message in the buffer.
    pub(crate) bytes: usize,
    /// The descriptors that have arrived.
    pub(crate) descriptors: Vec<OwnedFd>,
    /// Whether the message is complete, with all its bytes and descriptors.
    pub(crate) is_whole: bool,
}

/// Waits for one message with at most `most` descriptors, which are closed on exec.
pub(crate) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8], most: usize) -> io::Result<RawMessage> {
    let numbers = libc::c_uint::try_from(most * size_of::<RawFd>()).map_err(io::Error::other)?;
    // SAFETY: computes a length.
    let space = unsafe { libc::CMSG_SPACE(numbers) };
    // u64 gives the alignment of a cmsghdr.
    let mut control = vec![0_u64; usize::try_from(space).map_err(io::Error::other)?.div_ceil(8)];
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: zeros are a valid msghdr, without any of its optional parts.
    let mut header: libc::msghdr = unsafe { mem::zeroed() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = control.len() * 8;
    // SAFETY: the header points to one buffer and one control buffer of the lengths that it gives.
    let result = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_CMSG_CLOEXEC) };
    let bytes = usize::try_from(result).map_err(|_| io::Error::last_os_error())?;
    let is_whole = header.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) == 0;
    Ok(RawMessage { bytes, descriptors: descriptors(&header), is_whole })
}

/// Owns the descriptors that the kernel has put into the control buffer of `header`.
fn descriptors(header: &libc::msghdr) -> Vec<OwnedFd> {
    let mut all = Vec::new();
    // SAFETY: computes a length.
    let before = unsafe { libc::CMSG_LEN(0) } as usize;
    // SAFETY: the kernel has set the header's control length to what it wrote.
    let mut at = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !at.is_null() {
        // SAFETY: points to a whole cmsghdr within the control buffer, as the macros promise.
        let message = unsafe { at.read() };
        if (message.cmsg_level, message.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
            // SAFETY: computes where the data of a message in the control buffer begins.
            let data = unsafe { libc::CMSG_DATA(at) };
            let size = size_of::<RawFd>();
            for offset in (0..message.cmsg_len.saturating_sub(before) / size).map(|number| number * size) {
                // SAFETY: within the message's data, whose length the kernel has written.
                let number = unsafe { data.add(offset) };
                // SAFETY: as before; nothing says that the data is aligned.
                all.push(super::fd::own(unsafe { number.cast::<RawFd>().read_unaligned() }));
            }
        }
        // SAFETY: header and message are those of this loop.
        at = unsafe { libc::CMSG_NXTHDR(header, at) };
    }
    all
}
