//! Response bodies: one piece of bytes, which may carry an event's [`Handover`].

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::session::Handover;

/// A response of the Runtime API.
pub(crate) type Reply = http::Response<ReplyBody>;

/// A body of one piece.
#[derive(Debug, Default)]
pub(crate) struct ReplyBody {
    data: Bytes,
    handover: Option<Handover>,
}

impl ReplyBody {
    pub(crate) fn new(data: impl Into<Bytes>) -> Self {
        Self { data: data.into(), handover: None }
    }

    /// The body of an event: given up as written when the connection takes it, handed back when it is
    /// dropped before. An empty body is never asked for, so its headers count as written.
    pub(crate) fn event(data: Bytes, handover: Handover) -> Self {
        if data.is_empty() {
            handover.written();
            return Self::default();
        }
        Self { data, handover: Some(handover) }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(handover) = self.handover.take() {
            handover.written();
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
