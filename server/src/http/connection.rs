//! One connection, from its first byte to its end.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, response::Response};
use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use nix::sys::socket::{setsockopt, sockopt};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep_until},
};
use tower::{Service, ServiceExt as _};

use super::{respond::Exchange, serve::Limits};

/// HTTP/2 streams of one connection at a time.
const STREAMS_MAX: u32 = 256;
/// Streams that a peer may open and reset before they were looked at (CVE-2023-44487).
const RESET_STREAMS_MAX: usize = 32;

/// HTTP/1.1 and HTTP/2 by prior knowledge, with the limits of every connection.
pub(super) fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // Also how long hyper keeps an idle connection; the first request has a shorter time.
        .header_read_timeout(limits.idle)
        .max_buf_size(limits.header_bytes_max)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(RESET_STREAMS_MAX)
        .max_local_error_reset_streams(RESET_STREAMS_MAX)
        .max_header_list_size(u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX))
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

/// Sets what the kernel has to do for a connection.
pub(super) fn tune(stream: &TcpStream, limits: &Limits) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // A peer that stops reading ends here, however long its answer waits to be written.
    let write_stall_ms = u32::try_from(limits.write_stall.as_millis()).unwrap_or(u32::MAX);
    setsockopt(stream, sockopt::TcpUserTimeout, &write_stall_ms)?;
    setsockopt(stream, sockopt::KeepAlive, &true)?;
    Ok(())
}

/// What the watchdog of a connection needs to know.
#[derive(Debug)]
struct Activity {
    born: Instant,
    in_flight: AtomicU32,
    /// Requests begun, ever.
    requests: AtomicU64,
    /// When a request last began or ended, in milliseconds after `born`.
    last_ms: AtomicU64,
}

impl Activity {
    fn new() -> Self {
        Self {
            born: Instant::now(),
            in_flight: AtomicU32::new(0),
            requests: AtomicU64::new(0),
            last_ms: AtomicU64::new(0),
        }
    }

    fn touch(&self) {
        let now_ms = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(now_ms, Ordering::Relaxed);
    }

    /// When the connection will have been idle for too long, if nothing happens until then.
    fn deadline(&self, limits: &Limits) -> Instant {
        if self.in_flight.load(Ordering::Relaxed) > 0 {
            return Instant::now() + limits.idle;
        }
        let first = self.requests.load(Ordering::Relaxed) == 0;
        let patience = if first { limits.first_request } else { limits.idle };
        self.born + Duration::from_millis(self.last_ms.load(Ordering::Relaxed)) + patience
    }
}

/// Counts a request while it is answered, also where its future is dropped.
struct InFlight(Arc<Activity>);

impl InFlight {
    fn begin(activity: &Arc<Activity>) -> Self {
        activity.in_flight.fetch_add(1, Ordering::Relaxed);
        activity.requests.fetch_add(1, Ordering::Relaxed);
        activity.touch();
        Self(Arc::clone(activity))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.0.touch();
    }
}

/// Serves a connection until its peer ends it, it has been idle for too long, or the drain begins and
/// its last request is answered.
pub(super) async fn run<S>(
    stream: TcpStream,
    peer: SocketAddr,
    builder: Builder<TokioExecutor>,
    service: S,
    limits: Limits,
    mut draining: watch::Receiver<()>,
) where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let activity = Arc::new(Activity::new());
    let seen = Arc::clone(&activity);
    let answer = service_fn(move |request| answer(service.clone(), request, InFlight::begin(&seen)));
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), answer));
    let mut closing = false;
    loop {
        let deadline = activity.deadline(&limits);
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, %error, "connection ended early");
                }
                return;
            }
            // An error means that the listener is gone, which is a drain too.
            _ = draining.changed(), if !closing => {
                closing = true;
                connection.as_mut().graceful_shutdown();
            }
            () = sleep_until(deadline) => {
                if activity.deadline(&limits) > Instant::now() {
                    continue;
                }
                if closing || activity.requests.load(Ordering::Relaxed) == 0 {
                    tracing::debug!(%peer, "connection closed: no request in time");
                    return;
                }
                closing = true;
                activity.touch(); // what is half-way in gets one more span
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

async fn answer<S>(
    service: S,
    mut request: Request<Incoming>,
    _in_flight: InFlight,
) -> Result<Response, Infallible>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    let exchange = Exchange::begin(&mut request);
    let mut response = service.oneshot(request.map(Body::new)).await?;
    exchange.end(&mut response);
    Ok(response)
}
