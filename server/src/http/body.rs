//! Reading a request body whole, within bounds of size, time and memory.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body::Body;
use http_body_util::BodyExt as _;
use sha2::{Digest, Sha256};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Bodies up to this size are read without asking the gate.
const SMALL_BYTES_MAX: usize = 1024 * 1024;
/// The longest that one body may take, however steadily it trickles in: 70 MB at 80 kB/s.
const BODY_TIME_MAX: Duration = Duration::from_secs(15 * 60);
/// How much is allocated on the word of a `Content-Length` alone.
const TRUSTED_BYTES_MAX: usize = 256 * 1024;

/// A body that was not read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is longer than it may be, by its own word or as it came. HTTP 413.
    #[error("the request body is larger than {limit_bytes} bytes")]
    TooLarge {
        /// Its own word, where it gave one.
        bytes: Option<u64>,
        /// The most that this request may have.
        limit_bytes: usize,
    },
    /// No byte came for too long, or the last one is still to come after 15 minutes. HTTP 408.
    #[error("the request body stalled")]
    Stalled,
    /// Too many large bodies are in memory and none was let go in time. HTTP 503.
    #[error("too many large request bodies at once")]
    Busy,
    /// The connection broke, or the body's framing is wrong. HTTP 400.
    #[error("the request body broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Refuses a body that announces to be too long; to be asked before the caller is even known.
///
/// # Errors
/// [`BodyError::TooLarge`] with the announced length.
pub fn check_length(headers: &HeaderMap, limit_bytes: usize) -> Result<(), BodyError> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    match announced {
        Some(bytes) if usize::try_from(bytes).map_or(true, |bytes| bytes > limit_bytes) => {
            Err(BodyError::TooLarge { bytes: Some(bytes), limit_bytes })
        }
        _ => Ok(()),
    }
}

/// A whole body and its hash.
#[derive(Debug)]
pub struct Received {
    /// The body.
    pub bytes: Bytes,
    /// Its SHA-256, as signatures cover it.
    pub sha256: [u8; 32],
    /// The place of a large body at the gate; whoever keeps the bytes keeps it.
    pub permit: Option<OwnedSemaphorePermit>,
}

/// Bounds the memory that large bodies (over 1 MiB) take together. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gate {
    free_mib: Arc<Semaphore>,
    budget_mib: u32,
    stall: Duration,
}

impl Gate {
    /// A gate for this much memory; `stall` is how long a body may make no progress, and how long a
    /// large one waits for its place.
    pub fn new(budget_mib: u32, stall: Duration) -> Self {
        let places = usize::try_from(budget_mib).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { free_mib: Arc::new(Semaphore::new(places)), budget_mib, stall }
    }

    /// Reads a body of at most `limit_bytes`. One that announces more is refused before it is read,
    /// one that turns out longer as soon as it does.
    ///
    /// # Errors
    /// [`BodyError`]; the rest of the body is then unread, and the connection will be closed.
    pub async fn read<B>(&self, body: B, limit_bytes: usize) -> Result<Received, BodyError>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let whole = timeout(BODY_TIME_MAX, self.read_frames(body, limit_bytes));
        whole.await.map_err(|_| BodyError::Stalled)?
    }

    async fn read_frames<B>(&self, body: B, limit_bytes: usize) -> Result<Received, BodyError>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut body = std::pin::pin!(body);
        let announced = body.size_hint();
        let least = usize::try_from(announced.lower()).unwrap_or(usize::MAX);
        if least > limit_bytes {
            return Err(BodyError::TooLarge { bytes: announced.exact(), limit_bytes });
        }
        let mut permit = self.enter(least, announced.upper(), limit_bytes).await?;
        let (mut hash, mut first, mut whole) = (Sha256::new(), Bytes::new(), BytesMut::new());
        while let Some(frame) = timeout(self.stall, body.frame()).await.map_err(|_| BodyError::Stalled)? {
            let frame = frame.map_err(|error| BodyError::Broken(error.into()))?;
            let Ok(data) = frame.into_data() else { continue }; // trailers mean nothing here
            let length = first.len() + whole.len() + data.len();
            if length > limit_bytes {
                return Err(BodyError::TooLarge { bytes: None, limit_bytes });
            }
            if permit.is_none() {
                permit = self.enter(length, None, limit_bytes).await?;
            }
            hash.update(&data);
            if first.is_empty() && whole.is_empty() {
                first = data; // most bodies come in one piece, which is then not copied
            } else {
                if whole.is_empty() {
                    whole.reserve(least.min(TRUSTED_BYTES_MAX).max(length));
                    whole.extend_from_slice(&std::mem::take(&mut first));
                }
                whole.extend_from_slice(&data);
            }
        }
        let bytes = if whole.is_empty() { first } else { whole.freeze() };
        Ok(Received { bytes, sha256: hash.finalize().into(), permit })
    }

    /// A place for a body of `length` bytes so far, if that is large. Where the final length is not
    /// known the place is for the most that it may be: asking twice could lock two bodies together.
    async fn enter(
        &self,
        length: usize,
        upper: Option<u64>,
        limit_bytes: usize,
    ) -> Result<Option<OwnedSemaphorePermit>, BodyError> {
        if length <= SMALL_BYTES_MAX {
            return Ok(None);
        }
        let most = upper.and_then(|upper| usize::try_from(upper).ok()).unwrap_or(limit_bytes);
        let places = u32::try_from(most.div_ceil(SMALL_BYTES_MAX)).unwrap_or(u32::MAX).min(self.budget_mib);
        let place = Arc::clone(&self.free_mib).acquire_many_owned(places);
        match timeout(self.stall, place).await {
            Ok(Ok(permit)) => Ok(Some(permit)),
            _ => Err(BodyError::Busy),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{StreamExt as _, stream};
    use http_body::Frame;
    use http_body_util::{Full, StreamBody};

    use super::*;

    const MIB: usize = 1 << 20;

    fn gate(budget_mib: u32) -> Gate {
        Gate::new(budget_mib, Duration::from_secs(20))
    }

    /// A body of unknown length in chunks; after them it ends, or hangs.
    fn chunks(sizes: &[usize], hangs: bool) -> impl Body<Data = Bytes, Error = Infallible> {
        let data: Vec<_> = sizes.iter().map(|size| Ok(Frame::data(Bytes::from(vec![7; *size])))).collect();
        let end = if hangs { stream::pending().left_stream() } else { stream::empty().right_stream() };
        StreamBody::new(stream::iter(data).chain(end))
    }

    #[tokio::test]
    async fn sizes() {
        for (sizes, limit, expect) in [
            (&[][..], 0, Some(0)),
            (&[0, 5, 0, 3], 8, Some(8)),
            (&[5, 4], 8, None),
            (&[9], 8, None),
            (&[MIB, MIB, 1], 3 * MIB, Some(2 * MIB + 1)),
            (&[3 * MIB], 3 * MIB, Some(3 * MIB)),
        ] {
            let gate = gate(3);
            match (gate.read(chunks(sizes, false), limit).await, expect) {
                (Ok(got), Some(expect)) => {
                    assert_eq!(got.bytes, vec![7; expect]);
                    assert_eq!(got.sha256, <[u8; 32]>::from(Sha256::digest(&got.bytes)));
                    assert_eq!(got.permit.is_some(), expect > MIB);
                }
                (Err(BodyError::TooLarge { bytes: None, limit_bytes }), None) => {
                    assert_eq!(limit_bytes, limit)
                }
                (got, expect) => panic!("{sizes:?}: {got:?}, not {expect:?}"),
            }
            assert_eq!(gate.free_mib.available_permits(), 3, "every place is given back");
        }
    }

    #[test]
    fn announced_lengths() {
        for (value, expect) in
            [("8", None), ("9", Some(9)), ("18446744073709551615", Some(u64::MAX)), ("x", None)]
        {
            let headers = HeaderMap::from_iter([(header::CONTENT_LENGTH, value.parse().unwrap())]);
            let refused = match check_length(&headers, 8) {
                Err(BodyError::TooLarge { bytes, limit_bytes: 8 }) => bytes,
                other => other.map(|()| None).unwrap(),
            };
            assert_eq!(refused, expect, "{value}");
        }
    }

    #[tokio::test]
    async fn one_piece_is_not_copied() {
        let data = Bytes::from(vec![1; 4096]);
        let got = gate(1).read(Full::new(data.clone()), 4096).await.unwrap();
        assert_eq!(got.bytes.as_ptr(), data.as_ptr());
    }

    #[tokio::test]
    async fn announced_length_is_refused_unread() {
        let body = Full::new(Bytes::from(vec![1; 10])).map_frame(|_| panic!("was read"));
        let body = LengthOf(10, body);
        let refused = gate(1).read(body, 9).await;
        assert!(matches!(refused, Err(BodyError::TooLarge { bytes: Some(10), limit_bytes: 9 })));
    }

    /// A body that announces a length.
    struct LengthOf<B>(u64, B);

    impl<B: Body + Unpin> Body for LengthOf<B> {
        type Data = B::Data;
        type Error = B::Error;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<Frame<B::Data>, B::Error>>> {
            std::pin::Pin::new(&mut self.1).poll_frame(cx)
        }

        fn size_hint(&self) -> http_body::SizeHint {
            http_body::SizeHint::with_exact(self.0)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn slow_and_crowded() {
        let gate = gate(4);
        assert!(matches!(gate.read(chunks(&[1], true), 8).await, Err(BodyError::Stalled)));
        let trickle = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(19)).await;
            Some((Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"x"))), ()))
        });
        let start = tokio::time::Instant::now();
        assert!(matches!(gate.read(StreamBody::new(trickle), 4096).await, Err(BodyError::Stalled)));
        assert_eq!(start.elapsed(), BODY_TIME_MAX);
        let held = gate.read(chunks(&[2 * MIB], false), 4 * MIB).await.unwrap();
        assert!(matches!(gate.read(chunks(&[2 * MIB], false), 4 * MIB).await, Err(BodyError::Busy)));
        assert!(gate.read(chunks(&[MIB], false), 4 * MIB).await.is_ok(), "small ones pass");
        drop(held);
        assert!(gate.read(chunks(&[2 * MIB], false), 4 * MIB).await.is_ok());
    }
}
