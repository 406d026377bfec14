//! One `SOCK_SEQPACKET` connection that carries values and descriptors.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, recv, sendmsg, setsockopt, socketpair,
    sockopt,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::sys;

/// Longest message in bytes. It is below the kernel's default buffer size, so a message is sent whole or not
/// at all.
pub(crate) const MESSAGE_BYTES_MAX: usize = 160 * 1024;
/// Most descriptors in one message (the kernel's limit is 253).
pub(crate) const DESCRIPTORS_MAX: usize = 64;

/// Why a message did not get through.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The other side has closed the connection or has died.
    #[error("the other side of the channel is gone")]
    Closed,
    /// Nothing came within the time allowed.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The message is longer than `limit`.
    #[error("a message of {bytes} bytes is over the limit of {limit}")]
    TooLong {
        /// Length of the message.
        bytes: usize,
        /// The limit, [`MESSAGE_BYTES_MAX`].
        limit: usize,
    },
    /// The bytes are not a message of this protocol.
    #[error("malformed message")]
    Malformed(#[source] postcard::Error),
    /// The message lacks a descriptor or was cut short.
    #[error("incomplete message")]
    Incomplete,
    /// The system call failed.
    #[error("socket error")]
    Io(#[from] io::Error),
}

impl From<nix::Error> for ChannelError {
    fn from(errno: nix::Error) -> Self {
        Self::Io(errno.into())
    }
}

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Channel(OwnedFd);

/// A received value with the descriptors that came with it.
#[derive(Debug)]
pub(crate) struct ReceivedMessage<T> {
    pub(crate) value: T,
    pub(crate) descriptors: Vec<OwnedFd>,
}

/// Decodes the value of a message.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ChannelError> {
    postcard::from_bytes(bytes).map_err(ChannelError::Malformed)
}

impl Channel {
    /// Makes a connected pair; both ends are closed on exec.
    pub(crate) fn pair() -> io::Result<(Self, Self)> {
        let (a, b) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        for end in [&a, &b] {
            setsockopt(end, sockopt::SndBuf, &(MESSAGE_BYTES_MAX * 2))?;
        }
        Ok((Self(a), Self(b)))
    }

    pub(crate) fn from_fd(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// Takes over the end that this process has placed at `number` before it closed all other descriptors.
    pub(crate) fn placed(number: RawFd) -> Self {
        Self(sys::fd::own(number))
    }

    pub(crate) fn into_fd(self) -> OwnedFd {
        self.0
    }

    /// Sends one value; blocks while the buffer is full.
    pub(crate) fn send<T: Serialize>(
        &self,
        value: &T,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), ChannelError> {
        let bytes = postcard::to_stdvec(value).map_err(ChannelError::Malformed)?;
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(ChannelError::TooLong { bytes: bytes.len(), limit: MESSAGE_BYTES_MAX });
        }
        let raw: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
        let rights = [ControlMessage::ScmRights(&raw)];
        let control: &[ControlMessage<'_>] = if raw.is_empty() { &[] } else { &rights };
        match sendmsg::<()>(
            self.0.as_raw_fd(),
            &[IoSlice::new(&bytes)],
            control,
            MsgFlags::MSG_NOSIGNAL,
            None,
        ) {
            Ok(_) => Ok(()),
            Err(nix::Error::EPIPE | nix::Error::ECONNRESET) => Err(ChannelError::Closed),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Waits for one value.
    pub(crate) fn receive<T: DeserializeOwned>(&self) -> Result<ReceivedMessage<T>, ChannelError> {
        // As large as the message, not as the limit: init keeps memory that it has touched until it ends.
        let mut buffer = vec![0; self.next_length()?.min(MESSAGE_BYTES_MAX)];
        let (length, descriptors) = self.receive_bytes(&mut buffer)?;
        let bytes = buffer.get(..length).ok_or(ChannelError::Incomplete)?;
        Ok(ReceivedMessage { value: decode(bytes)?, descriptors })
    }

    /// Waits for one value, but not longer than `timeout`.
    pub(crate) fn receive_within<T: DeserializeOwned>(
        &self,
        timeout: Duration,
    ) -> Result<ReceivedMessage<T>, ChannelError> {
        let wait = PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX);
        let mut fds = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        loop {
            match nix::poll::poll(&mut fds, wait) {
                Ok(0) => return Err(ChannelError::TimedOut(timeout)),
                Ok(_) => return self.receive(),
                Err(nix::Error::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Waits for a message and returns its length without taking the message.
    fn next_length(&self) -> Result<usize, ChannelError> {
        loop {
            match recv(self.0.as_raw_fd(), &mut [], MsgFlags::MSG_PEEK | MsgFlags::MSG_TRUNC) {
                Ok(length) => return Ok(length),
                Err(nix::Error::EINTR) => {}
                Err(nix::Error::ECONNRESET) => return Err(ChannelError::Closed),
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn receive_bytes(&self, buffer: &mut [u8]) -> Result<(usize, Vec<OwnedFd>), ChannelError> {
        let message = loop {
            match sys::socket::receive(self.0.as_fd(), buffer, DESCRIPTORS_MAX) {
                Ok(message) => break message,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Err(ChannelError::Closed);
                }
                Err(error) => return Err(error.into()),
            }
        };
        if message.bytes == 0 {
            return Err(ChannelError::Closed);
        }
        // Descriptors that did arrive are closed when `message` is dropped.
        if !message.is_whole {
            return Err(ChannelError::Incomplete);
        }
        Ok((message.bytes, message.descriptors))
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::fd::AsFd as _;

    use super::*;
    use crate::error::LaunchError;

    /// This is what a process sees that cannot open more descriptors: some of the message's are missing.
    #[test]
    fn descriptors_that_are_cut_off_are_closed_and_concern_one_message() {
        let (here, there) = Channel::pair().unwrap();
        let (mut read, write) = io::pipe().unwrap();
        let arrives = vec![write.as_fd(); DESCRIPTORS_MAX + 1];
        here.send(&1_u8, &arrives).unwrap();
        here.send(&2_u8, &[]).unwrap();
        drop(write);
        let cut = there.receive::<u8>().map(|received| received.value).unwrap_err();
        assert!(matches!(cut, ChannelError::Incomplete), "{cut:?}");
        assert_eq!(read.read(&mut [0]).unwrap(), 0, "the other end is still open");
        assert_eq!(there.receive::<u8>().unwrap().value, 2);
        assert!(!LaunchError::from(cut).is_lost());
        drop(here);
        let closed = there.receive::<u8>().map(|received| received.value).unwrap_err();
        assert!(LaunchError::from(closed).is_lost());
    }
}
