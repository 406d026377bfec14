//! Reads a whole request body, with limits of size, time and memory.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::Body;
use http_body_util::BodyExt as _;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, timeout, timeout_at};

use super::budget::{Arrival, Budget, Crowded, Share};

/// Longest time that one body may take, however steadily it arrives.
const BODY_TIME_MAX: Duration = Duration::from_secs(15 * 60);
/// Average number of bytes that must arrive each second; the first 30 s are exempt.
const BYTES_PER_SECOND_MIN: u64 = 16 * 1024;
/// How much of a refused request is read, and for how long: a package over a fast network.
const DRAIN_BYTES_MAX: usize = 128 * 1024 * 1024;
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);
/// Memory that is allocated because of a `Content-Length` alone.
const TRUSTED_BYTES_MAX: usize = 256 * 1024;

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is longer than allowed, by its `Content-Length` or by the bytes that arrived. HTTP 413.
    #[error("the request body is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The announced length, if there was one.
        bytes: Option<u64>,
        /// The limit of this request.
        limit_bytes: usize,
    },
    /// No byte arrived for too long, the bytes arrive too slowly, or the body is not complete after 15
    /// minutes. HTTP 400.
    #[error("the request body stalled")]
    Stalled,
    /// The memory for bodies is used up: none was freed in time, or this body was the slowest. HTTP 429.
    #[error("too many bytes of request bodies at once")]
    Busy,
    /// The connection broke, or the framing of the body is wrong. HTTP 400.
    #[error("the request body broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Refuses a body whose announced length is over the limit. Called before the caller is known.
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

/// Reads and drops the rest of a refused request's body, with limits of bytes and time, so that a client that
/// writes before it reads gets the refusal instead of a broken pipe. A client that waits for the permission
/// to send (`Expect`) is not asked to.
pub async fn drain<B: Body<Data = Bytes> + Unpin>(headers: &HeaderMap, body: &mut B) {
    if body.is_end_stream() || headers.contains_key(header::EXPECT) {
        return;
    }
    let drained = async {
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.data_ref().map_or(0, Bytes::len);
            if bytes > DRAIN_BYTES_MAX {
                return;
            }
        }
    };
    // Running out of time is no error: the answer is sent and then the connection is closed.
    let _ = timeout(DRAIN_TIME_MAX, drained).await;
}

/// A whole body and its hash.
#[derive(Debug)]
pub struct ReceivedBody {
    /// The body. Its memory counts until the last clone is dropped.
    pub bytes: Bytes,
    /// Its SHA-256, which signatures cover.
    pub sha256: [u8; 32],
}

/// Limits the memory of all bodies together. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gate {
    budget: Budget,
    stall: Duration,
}

/// The bytes of a body and their share of the budget, which must be dropped together.
struct Placed {
    bytes: Bytes,
    _share: Share,
}

impl AsRef<[u8]> for Placed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The part of a body that has arrived.
struct Pieces {
    hash: Sha256,
    first: Bytes,
    whole: Vec<u8>,
}

impl Gate {
    /// A gate for this much memory. `stall` is how long a body may make no progress, and how long it may wait
    /// for memory.
    pub fn new(budget_mib: u32, stall: Duration) -> Self {
        let bytes = usize::try_from(budget_mib).unwrap_or(usize::MAX).saturating_mul(1024 * 1024);
        Self { budget: Budget::new(bytes), stall }
    }

    /// Reads a body of at most `limit_bytes`. One with a larger announced length is refused unread, any other
    /// as soon as it exceeds the limit. Only bytes that have arrived use memory.
    ///
    /// # Errors
    /// A [`BodyError`]; the rest of the body is unread, and the connection will be closed.
    pub async fn read<B>(&self, body: B, limit_bytes: usize) -> Result<ReceivedBody, BodyError>
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
        let (mut share, mut pieces) = (self.budget.share(), Pieces::new());
        let (begun, mut arrival) = (Instant::now(), None::<Arrival>);
        while let Some(data) = self.next_data(body.as_mut(), begun, pieces.len(), arrival.as_ref()).await? {
            let length = pieces.len() + data.len();
            if length > limit_bytes {
                return Err(BodyError::TooLarge { bytes: None, limit_bytes });
            }
            // Most bodies arrive in one piece; they need not be registered for eviction.
            if arrival.is_none() && !body.is_end_stream() {
                arrival = Some(self.budget.arrival());
            }
            self.make_room(&mut share, data.len(), arrival.as_ref()).await?;
            pieces.add(data, least);
            arrival.iter().for_each(|arrival| arrival.has(length));
        }
        let (bytes, sha256) = pieces.finish();
        let bytes = if bytes.is_empty() { bytes } else { Bytes::from_owner(Placed { bytes, _share: share }) };
        Ok(ReceivedBody { bytes, sha256 })
    }

    /// The next bytes of a body of which `length` bytes have arrived since `begun`.
    async fn next_data<B>(
        &self,
        mut body: Pin<&mut B>,
        begun: Instant,
        length: usize,
        arrival: Option<&Arrival>,
    ) -> Result<Option<Bytes>, BodyError>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let earned = Duration::from_secs(length as u64 / BYTES_PER_SECOND_MIN);
        let end = (Instant::now() + self.stall).min(begun + (self.stall + earned).min(BODY_TIME_MAX));
        loop {
            let frame = tokio::select! {
                frame = timeout_at(end, body.frame()) => frame.map_err(|_| BodyError::Stalled)?,
                Crowded = evicted(arrival) => return Err(BodyError::Busy),
            };
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| BodyError::Broken(error.into()))?;
            // Trailers have no meaning here.
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
    }

    async fn make_room(
        &self,
        share: &mut Share,
        bytes: usize,
        arrival: Option<&Arrival>,
    ) -> Result<(), BodyError> {
        let grown = tokio::select! {
            biased;
            grown = share.grow(bytes, self.stall) => grown,
            crowded = evicted(arrival) => Err(crowded),
        };
        grown.map_err(|Crowded| BodyError::Busy)
    }
}

/// Completes when the body is evicted; never for one that is not registered.
async fn evicted(arrival: Option<&Arrival>) -> Crowded {
    match arrival {
        Some(arrival) => arrival.evicted().await,
        None => std::future::pending().await,
    }
}

impl Pieces {
    fn new() -> Self {
        Self { hash: Sha256::new(), first: Bytes::new(), whole: Vec::new() }
    }

    fn len(&self) -> usize {
        self.first.len() + self.whole.len()
    }

    /// Adds a piece of a body of at least `least` bytes. A single piece is not copied. Memory for several
    /// grows with the bytes that have arrived, up to the announced length.
    fn add(&mut self, data: Bytes, least: usize) {
        self.hash.update(&data);
        let length = self.len() + data.len();
        if self.len() == 0 {
            self.first = data;
            return;
        }
        if length > self.whole.capacity() {
            let doubled = (length * 2).max(TRUSTED_BYTES_MAX);
            let wanted = if length <= least { doubled.min(least) } else { length * 2 };
            self.whole.reserve_exact(wanted - self.whole.len());
        }
        self.whole.extend_from_slice(&std::mem::take(&mut self.first));
        self.whole.extend_from_slice(&data);
    }

    fn finish(self) -> (Bytes, [u8; 32]) {
        let bytes = if self.whole.is_empty() { self.first } else { Bytes::from(self.whole) };
        (bytes, self.hash.finalize().into())
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

    /// A body of unknown length in chunks, after which it ends or hangs.
    fn chunks(sizes: &[usize], hangs: bool) -> impl Body<Data = Bytes, Error = Infallible> {
        let data: Vec<_> = sizes.iter().map(|size| Ok(Frame::data(Bytes::from(vec![7; *size])))).collect();
        let end = if hangs { stream::pending().left_stream() } else { stream::empty().right_stream() };
        StreamBody::new(stream::iter(data).chain(end))
    }

    #[tokio::test]
    async fn a_body_over_its_limit_is_refused() {
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
                    assert_eq!(gate.budget.free(), 3 * MIB - expect);
                }
                (Err(BodyError::TooLarge { bytes: None, limit_bytes }), None) => {
                    assert_eq!(limit_bytes, limit)
                }
                (got, expect) => panic!("{sizes:?}: {got:?}, not {expect:?}"),
            }
            assert_eq!(gate.budget.free(), 3 * MIB, "all memory is returned");
        }
    }

    #[test]
    fn an_announced_length_over_the_limit_is_refused() {
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

    /// A body with an announced length.
    struct LengthOf<B>(u64, B);

    impl<B: Body + Unpin> Body for LengthOf<B> {
        type Data = B::Data;
        type Error = B::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<Frame<B::Data>, B::Error>>> {
            Pin::new(&mut self.1).poll_frame(cx)
        }

        fn size_hint(&self) -> http_body::SizeHint {
            http_body::SizeHint::with_exact(self.0)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn slow_bodies_are_refused() {
        assert!(matches!(gate(4).read(chunks(&[1], true), 8).await, Err(BodyError::Stalled)));
        // One byte now and then is no progress, and a body must end at some time.
        for (bytes, takes) in [(1, Duration::from_secs(20)), (400_000, BODY_TIME_MAX)] {
            let trickle = stream::unfold((), move |()| async move {
                tokio::time::sleep(Duration::from_secs(19)).await;
                Some((Ok::<_, Infallible>(Frame::data(Bytes::from(vec![0; bytes]))), ()))
            });
            let start = Instant::now();
            let read = Gate::new(64, Duration::from_secs(20)).read(StreamBody::new(trickle), 64 * MIB).await;
            assert!(matches!(read, Err(BodyError::Stalled)), "{read:?}");
            assert_eq!(start.elapsed(), takes);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn memory_counts_as_long_as_a_copy_of_the_bytes() {
        let gate = gate(4);
        let held = gate.read(chunks(&[MIB, 2 * MIB], false), 4 * MIB).await.unwrap().bytes;
        let part = held.slice(5..6);
        drop(held);
        assert!(matches!(gate.read(chunks(&[2 * MIB], false), 4 * MIB).await, Err(BodyError::Busy)));
        assert!(gate.read(chunks(&[MIB], false), 4 * MIB).await.is_ok(), "smaller ones still fit");
        drop(part);
        assert!(gate.read(chunks(&[2 * MIB], false), 4 * MIB).await.is_ok());
    }

    /// Senders that announce much and send little use memory for what they sent, until others wait for it.
    #[tokio::test(start_paused = true)]
    async fn announced_bytes_use_no_memory() {
        let gate = gate(4);
        let idle: Vec<_> = (0..64)
            .map(|_| {
                let gate = gate.clone();
                let body = LengthOf(4 * MIB as u64, chunks(&[1], true));
                tokio::spawn(async move { gate.read(body, 4 * MIB).await.map(drop) })
            })
            .collect();
        let begun = Instant::now();
        while gate.budget.free() > 4 * MIB - 64 {
            tokio::task::yield_now().await;
        }
        let real = gate.read(chunks(&[MIB, MIB, 2 * MIB - 64], false), 4 * MIB).await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
        drop(real);
        assert!(
            gate.read(chunks(&[2 * MIB, 2 * MIB], false), 4 * MIB).await.is_ok(),
            "idle bodies are evicted"
        );
        for body in idle {
            assert!(matches!(body.await.unwrap(), Err(BodyError::Busy | BodyError::Stalled)));
        }
    }
}
