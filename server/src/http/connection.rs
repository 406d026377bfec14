//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use nix::sys::socket::{setsockopt, sockopt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tower::{Service, ServiceExt as _};

use super::respond::Exchange;
use super::serve::ConnectionLimits;
use super::table::{Activity, Caller};

/// Most HTTP/2 streams that one connection may have at a time.
const STREAMS_MAX: u32 = 100;
/// Bytes of bodies that an HTTP/2 client may send before they are read, for one stream and for all.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;
/// Streams that a client may open and reset before they are handled (CVE-2023-44487).
const RESET_STREAMS_MAX: usize = 32;

/// Serves HTTP/1.1, and HTTP/2 by prior knowledge, with the limits of every connection.
pub(super) fn builder(limits: &ConnectionLimits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // This is also hyper's limit for idle connections; the first request has a shorter one.
        .header_read_timeout(limits.idle)
        .max_buf_size(limits.header_bytes_max)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_pending_accept_reset_streams(RESET_STREAMS_MAX)
        .max_local_error_reset_streams(RESET_STREAMS_MAX)
        .max_header_list_size(u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX))
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

/// Sets the options that the kernel applies to a connection.
pub(super) fn tune(stream: &TcpStream, limits: &ConnectionLimits) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // The kernel ends a connection whose client does not read its answer.
    let write_stall_ms = u32::try_from(limits.write_stall.as_millis()).unwrap_or(u32::MAX);
    setsockopt(stream, sockopt::TcpUserTimeout, &write_stall_ms)?;
    setsockopt(stream, sockopt::KeepAlive, &true)?;
    Ok(())
}

/// Counts a request while it is being answered, also if its future is dropped.
struct InFlight(Arc<Activity>);

impl InFlight {
    fn begin(activity: &Arc<Activity>) -> Self {
        activity.begin();
        Self(Arc::clone(activity))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Serves a connection until its client ends it, it has been idle for too long, or a drain has begun and its
/// last request is answered.
pub(super) async fn run<S>(
    stream: TcpStream,
    peer: SocketAddr,
    activity: Arc<Activity>,
    builder: Builder<TokioExecutor>,
    service: S,
    limits: ConnectionLimits,
    mut draining: watch::Receiver<()>,
) where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let seen = Arc::clone(&activity);
    let answer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Caller::of(&seen, peer.ip()));
        answer(service.clone(), request, InFlight::begin(&seen))
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), answer));
    // When closing began: a request already being read gets one more time for a first request.
    let mut closing: Option<Instant> = None;
    let deadline = |closing: Option<Instant>| {
        let end = activity.deadline(&limits);
        closing.map_or(end, |closing| end.max(closing + limits.first_request))
    };
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, %error, "connection ended early");
                }
                return;
            }
            // An error means that the listener has ended, which is a drain, too.
            _ = draining.changed(), if closing.is_none() => {
                closing = Some(Instant::now());
                connection.as_mut().graceful_shutdown();
            }
            () = sleep_until(deadline(closing)) => {
                if deadline(closing) > Instant::now() {
                    continue;
                }
                if closing.is_some() || !activity.had_requests() {
                    tracing::debug!(%peer, "connection closed: no request in time");
                    return;
                }
                closing = Some(Instant::now());
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
