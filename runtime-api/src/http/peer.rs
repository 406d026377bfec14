//! The client of a connection, and whether it is still there.

use std::io::{Error, ErrorKind, Result};
use std::net;
use std::os::fd::AsFd;

use tokio::net::TcpStream;

/// The client left while its call was waiting; the connection is closed without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("client is gone")]
pub(crate) struct Gone;

/// The client of one connection: a second descriptor of the socket that hyper owns.
#[derive(Debug)]
pub(crate) struct Peer(net::TcpStream);

impl Peer {
    /// Also disables Nagle's algorithm, with which a small answer would wait for the acknowledgement of the
    /// last one.
    pub(crate) fn of(stream: &TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self(stream.as_fd().try_clone_to_owned()?.into()))
    }

    /// Whether the client has neither closed its side nor broken the connection, according to the kernel. The
    /// connection's own task learns this later from the reactor, and an event written before that would be
    /// lost.
    pub(crate) fn is_there(&self) -> bool {
        match self.0.peek(&mut [0]) {
            Ok(bytes) => bytes > 0,
            Err(error) => is_not_yet(&error),
        }
    }
}

fn is_not_yet(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
