//! Response bodies: one piece of bytes, with a value that is notified when they are written.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// Notified when the connection takes a body; dropped without that when the connection ends first.
pub(crate) trait Written: Unpin {
    /// The connection has taken the body.
    fn written(self);
}

/// A body of one piece.
#[derive(Debug)]
pub(crate) struct ReplyBody<W> {
    data: Bytes,
    waiting: Option<W>,
}

impl<W> Default for ReplyBody<W> {
    fn default() -> Self {
        Self { data: Bytes::new(), waiting: None }
    }
}

impl<W: Written> ReplyBody<W> {
    pub(crate) fn new(data: impl Into<Bytes>) -> Self {
        Self { data: data.into(), waiting: None }
    }

    /// A body whose writing is reported to `waiting`. hyper does not ask for an empty one, so it counts as
    /// written at once.
    pub(crate) fn watched(data: Bytes, waiting: W) -> Self {
        if data.is_empty() {
            waiting.written();
            return Self::default();
        }
        Self { data, waiting: Some(waiting) }
    }
}

impl<W: Written> Body for ReplyBody<W> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(waiting) = self.waiting.take() {
            waiting.written();
        }
        let data = std::mem::take(&mut self.data);
        Poll::Ready((!data.is_empty()).then(|| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.len() as u64)
    }
}
