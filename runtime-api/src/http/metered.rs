//! A connection that counts what its requests make the server hold, against one budget of the environment.
//!
//! A head may grow while it arrives, and no timeout ends a slow one. So the bytes of heads are paid from a
//! budget that all connections of the environment share, and a connection that cannot pay is closed. A
//! connection pays back only when it ends, because its read buffer stays as large as its largest head.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};
use tokio::net::TcpStream;

use crate::limits::HELD_MAX_BYTES;

/// Bytes of a head that are not counted; ordinary heads are smaller.
const FREE_BYTES: usize = 16 * 1024;
/// Most bytes that are read at once, of heads and of bodies; this decides how large a buffer becomes.
const HEAD_READ_BYTES: u64 = 16 * 1024;
const BODY_READ_BYTES: u64 = 64 * 1024;

/// Bytes that one environment may still make the server hold.
#[derive(Debug)]
pub(crate) struct HeldBudget(AtomicUsize);

impl Default for HeldBudget {
    fn default() -> Self {
        Self(AtomicUsize::new(HELD_MAX_BYTES))
    }
}

/// Bytes paid from the budget; dropping the value pays them back.
#[derive(Debug)]
pub(crate) struct Held {
    budget: Arc<HeldBudget>,
    bytes: usize,
}

impl Held {
    pub(crate) const fn nothing(budget: Arc<HeldBudget>) -> Self {
        Self { budget, bytes: 0 }
    }

    /// Pays the difference up to this many bytes; false when the budget has too little left.
    pub(crate) fn cover(&mut self, bytes: usize) -> bool {
        let Some(missing) = bytes.checked_sub(self.bytes) else { return true };
        let rest = |free: usize| free.checked_sub(missing);
        let paid = self.budget.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, rest).is_ok();
        if paid {
            self.bytes = bytes;
        }
        paid
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

/// Counts the starts and ends of answers on a connection: odd while a request is being answered.
#[derive(Debug, Default)]
pub(crate) struct Phase(AtomicU64);

impl Phase {
    /// Called when a head is complete; its request is being answered until the value is dropped.
    pub(crate) fn answer(&self) -> Answering<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Answering(self)
    }
}

/// A request between its head and its answer.
#[derive(Debug)]
pub(crate) struct Answering<'a>(&'a Phase);

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A counted connection.
#[derive(Debug)]
pub(crate) struct Metered {
    stream: Take<TcpStream>,
    phase: Arc<Phase>,
    /// The phase that `head_bytes` belongs to.
    seen: u64,
    head_bytes: usize,
    held: Held,
    /// Whether the last read returned bytes.
    fresh: bool,
}

impl Metered {
    pub(crate) fn new(stream: TcpStream, phase: &Arc<Phase>, budget: &Arc<HeldBudget>) -> Self {
        let held = Held::nothing(Arc::clone(budget));
        Self { stream: stream.take(0), phase: Arc::clone(phase), seen: 0, head_bytes: 0, held, fresh: false }
    }

    /// Counts bytes of a head.
    fn count(&mut self, bytes: usize) -> Result<()> {
        self.head_bytes += bytes;
        if self.head_bytes > FREE_BYTES && !self.held.cover(self.head_bytes) {
            return Err(Error::new(
                ErrorKind::OutOfMemory,
                "the environment's connections hold too many bytes",
            ));
        }
        Ok(())
    }
}

/// An end of the stream that directly follows bytes is reported one turn later. hyper looks for it after it
/// has read a body, and then drops the request that it has not begun to answer: this would lose the last
/// response of a program that has ended since.
impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let phase = self.phase.0.load(Ordering::Relaxed);
        let in_head = phase.is_multiple_of(2);
        if phase != self.seen {
            (self.seen, self.head_bytes) = (phase, 0);
        }
        self.stream.set_limit(if in_head { HEAD_READ_BYTES } else { BODY_READ_BYTES });
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let read = buffer.filled().len() - before;
        if read == 0 && std::mem::take(&mut self.fresh) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.fresh = read > 0;
        Poll::Ready(if in_head { self.count(read) } else { Ok(()) })
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(self.stream.get_mut()).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(self.stream.get_mut()).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(self.stream.get_mut()).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(self.stream.get_mut()).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.get_ref().is_write_vectored()
    }
}
