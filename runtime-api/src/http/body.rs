//! Request bodies: read, or read and dropped, within limits.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use crate::http::metered::Held;
use crate::limits::{DRAIN_MAX_BYTES, DRAIN_MAX_MS};

/// A whole request body.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) data: Bytes,
    pub(crate) trailers: HeaderMap,
}

/// Why a request body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("body of {size_bytes} bytes or more is too large")]
    TooLarge { size_bytes: u64 },
    #[error("body broke off")]
    Truncated,
    #[error("the environment's requests hold too many bytes")]
    NoRoom,
}

/// Reads a body of at most `max_bytes`; one that arrives in one piece is not copied. If more than one such
/// body may arrive at a time, `held` pays for its bytes.
pub(crate) async fn read(
    body: &mut Incoming,
    max_bytes: usize,
    mut held: Option<Held>,
) -> Result<Whole, ReadError> {
    let mut pay = |bytes: usize| held.as_mut().is_none_or(|held| held.cover(bytes));
    let declared = body.size_hint().lower();
    if declared > max_bytes as u64 {
        return Err(ReadError::TooLarge { size_bytes: declared });
    }
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    let mut trailers = HeaderMap::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ReadError::Truncated)?;
        match frame.into_data() {
            Ok(data) => {
                let size = first.len() + all.len() + data.len();
                if size > max_bytes {
                    return Err(ReadError::TooLarge { size_bytes: size as u64 });
                }
                if first.is_empty() && all.is_empty() {
                    first = data;
                } else {
                    if all.is_empty() {
                        // The size is within the limit already. Doubling it keeps copies of chunked bodies
                        // few.
                        all.reserve(usize::try_from(declared).unwrap_or(0).max(size * 2));
                        all.extend_from_slice(&std::mem::take(&mut first));
                    }
                    all.extend_from_slice(&data);
                }
                if !pay(size.max(all.capacity())) {
                    return Err(ReadError::NoRoom);
                }
            }
            Err(frame) => trailers.extend(frame.into_trailers().unwrap_or_default()),
        }
    }
    Ok(Whole { data: if all.is_empty() { first } else { all.freeze() }, trailers })
}

/// Reads and drops the rest of a refused request's body, so that a client that writes before it reads sees
/// the refusal. It is bounded in bytes and time; beyond either limit the connection is closed.
pub(crate) async fn drain(body: &mut Incoming) {
    if body.is_end_stream() {
        return;
    }
    let drained = async {
        let mut size = 0;
        while let Some(Ok(frame)) = body.frame().await {
            size += frame.data_ref().map_or(0, Bytes::len);
            if size > DRAIN_MAX_BYTES {
                return;
            }
        }
    };
    // A timeout is no error: the answer is sent and the connection is closed after it.
    let _ = tokio::time::timeout(Duration::from_millis(DRAIN_MAX_MS), drained).await;
}
