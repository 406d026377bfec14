//! Reading a request body whole, within bounds of size, time and memory.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::Body;
use http_body_util::BodyExt as _;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, timeout, timeout_at};

use super::budget::{Arrival, Budget, Crowded, Share};

/// The longest that one body may take, however steadily it comes in.
const BODY_TIME_MAX: Duration = Duration::from_secs(15 * 60);
/// Bytes that each second of a body's time has to bring, on average; the first 30 s are free.
const BYTES_PER_SECOND_MIN: u64 = 16 * 1024;
/// What is read of a refused request, and for how long: a package that is too large, over a fast network.
const DRAIN_BYTES_MAX: usize = 128 * 1024 * 1024;
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);
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
    /// No byte came for too long, or they come too slowly, or the last one is still to come after 15 minutes.
    /// HTTP 400.
    #[error("the request body stalled")]
    Stalled,
    /// The memory for bodies is used up, and none of it was let go in time or this body was the slowest. HTTP 429.
    #[error("too many bytes of request bodies at once")]
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

/// Reads and drops what is left of a refused request's body, within bounds of bytes and time, so that a client that
/// writes before it reads gets to see the refusal instead of a broken pipe. One that waits to be asked for its body
/// (`Expect`) is not asked.
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
    // Running out of time is no error: the answer goes out and the connection is closed behind it.
    let _ = timeout(DRAIN_TIME_MAX, drained).await;
}

/// A whole body and its hash.
#[derive(Debug)]
pub struct ReceivedBody {
    /// The body. Its place at the gate is free when the last clone of this is gone.
    pub bytes: Bytes,
    /// Its SHA-256, as signatures cover it.
    pub sha256: [u8; 32],
}

/// Bounds the memory that bodies take together. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gate {
    budget: Budget,
    stall: Duration,
}

/// A body's bytes with their place: neither leaves without the other.
struct Placed {
    bytes: Bytes,
    _share: Share,
}

impl AsRef<[u8]> for Placed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// What has come of a body.
struct Pieces {
    hash: Sha256,
    first: Bytes,
    whole: Vec<u8>,
}

impl Gate {
    /// A gate for this much memory; `stall` is how long a body may make no progress, and how long it waits
    /// for room.
    pub fn new(budget_mib: u32, stall: Duration) -> Self {
        let bytes = usize::try_from(budget_mib).unwrap_or(usize::MAX).saturating_mul(1024 * 1024);
        Self { budget: Budget::new(bytes), stall }
    }

    /// Reads a body of at most `limit_bytes`. One that announces more is refused before it is read,
    /// one that turns out longer as soon as it does. Only bytes that have come take room.
    ///
    /// # Errors
    /// [`BodyError`]; the rest of the body is then unread, and the connection will be closed.
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
            // Most bodies come in one piece: they have arrived before anyone could want them gone.
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

    /// The next bytes of a body of which `length` have come since `begun`.
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
            // Trailers mean nothing here.
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

/// Never, for a body that is not registered.
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

    /// Adds a piece of a body of at least `least` bytes. A single piece is not copied; what is allocated for
    /// several follows what has come, up to what was announced.
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
                    assert_eq!(gate.budget.free(), 3 * MIB - expect);
                }
                (Err(BodyError::TooLarge { bytes: None, limit_bytes }), None) => {
                    assert_eq!(limit_bytes, limit)
                }
                (got, expect) => panic!("{sizes:?}: {got:?}, not {expect:?}"),
            }
            assert_eq!(gate.budget.free(), 3 * MIB, "every place is given back");
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
    async fn slow_ones_are_given_up() {
        assert!(matches!(gate(4).read(chunks(&[1], true), 8).await, Err(BodyError::Stalled)));
        // A byte now and then is no progress, and enough bytes for ever are no body.
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
    async fn the_place_stays_as_long_as_a_copy_of_the_bytes() {
        let gate = gate(4);
        let held = gate.read(chunks(&[MIB, 2 * MIB], false), 4 * MIB).await.unwrap().bytes;
        let part = held.slice(5..6);
        drop(held);
        assert!(matches!(gate.read(chunks(&[2 * MIB], false), 4 * MIB).await, Err(BodyError::Busy)));
        assert!(gate.read(chunks(&[MIB], false), 4 * MIB).await.is_ok(), "smaller ones still fit");
        drop(part);
        assert!(gate.read(chunks(&[2 * MIB], false), 4 * MIB).await.is_ok());
    }

    /// Senders that announce much and send little hold what they sent, and not for long when others wait.
    #[tokio::test(start_paused = true)]
    async fn promises_take_no_room() {
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
        assert!(gate.read(chunks(&[2 * MIB, 2 * MIB], false), 4 * MIB).await.is_ok(), "the idle make room");
        for body in idle {
            assert!(matches!(body.await.unwrap(), Err(BodyError::Busy | BodyError::Stalled)));
        }
    }
}
