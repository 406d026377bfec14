//! Reading a body within its limit.

use ::http::HeaderMap;
use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use crate::limits::{DRAIN_BYTES_MAX, RESPONSE_BYTES_MAX};
use crate::render::{self, Answer, Refusal};

/// A body that was read, or why it was not.
#[derive(Debug)]
pub(super) enum Read {
    /// All of it, with its trailers.
    Whole(Bytes, HeaderMap),
    /// More than the limit; it was read on and thrown away so that its sender sees the refusal.
    TooLarge,
    /// It ended before its announced end.
    Truncated,
}

/// Answers a refusal once the body is out of the way: a client that is still sending it would otherwise find its
/// connection closed instead of the answer.
pub(super) async fn refuse(body: Incoming, refusal: Refusal) -> Answer {
    let _ = read(body).await;
    render::refused(refusal)
}

pub(super) async fn read(mut body: Incoming) -> Read {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    let (mut size, mut trailers) = (0_usize, HeaderMap::new());
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Read::Truncated };
        match frame.into_data() {
            Ok(data) => {
                size += data.len();
                if size > DRAIN_BYTES_MAX {
                    return Read::TooLarge;
                }
                if size > RESPONSE_BYTES_MAX {
                    continue;
                }
                // Most bodies are one frame, which is passed on without a copy.
                match (&first, rest.is_empty()) {
                    (None, true) => first = Some(data),
                    (Some(one), true) => {
                        rest.reserve(announced.clamp(size, RESPONSE_BYTES_MAX));
                        rest.extend_from_slice(one);
                        rest.extend_from_slice(&data);
                    }
                    _ => rest.extend_from_slice(&data),
                }
            }
            Err(frame) => trailers = frame.into_trailers().unwrap_or_default(),
        }
    }
    match size {
        size if size > RESPONSE_BYTES_MAX => Read::TooLarge,
        _ if rest.is_empty() => Read::Whole(first.unwrap_or_default(), trailers),
        _ => Read::Whole(rest.freeze(), trailers),
    }
}
