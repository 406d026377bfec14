//! Accepting connections, and draining them.

use std::{convert::Infallible, future::Future, io, pin::pin, sync::Arc, time::Duration};

use axum::{body::Body, response::Response};
use http::Request;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tower::Service;

use super::connection;

/// How long accepting rests when the process or the system has no descriptor left.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// The bounds of the listener and of each connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time; more wait in the kernel's queue.
    pub connections_max: usize,
    /// Bytes of a request line and headers together.
    pub header_bytes_max: usize,
    /// From the connection to the end of its first request's headers.
    pub first_request: Duration,
    /// From an answer to the end of the next request's headers.
    pub idle: Duration,
    /// How long a peer may take no byte of an answer that waits.
    pub write_stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            header_bytes_max: 1024 * 1024, // AWS's quota
            first_request: Duration::from_secs(10),
            idle: Duration::from_secs(120),
            write_stall: Duration::from_secs(60),
        }
    }
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every request was answered.
    All,
    /// The time ran out and these connections were cut off.
    CutOff {
        /// How many.
        connections: usize,
    },
}

/// Serves until `drain` completes; then accepts no more, closes idle connections, and lets requests
/// in flight finish for at most `drain_timeout`.
pub async fn serve_connections<S>(
    listener: TcpListener,
    service: S,
    limits: Limits,
    drain: impl Future<Output = ()>,
    drain_timeout: Duration,
) -> Drained
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let builder = connection::builder(&limits);
    let free = Arc::new(Semaphore::new(limits.connections_max));
    let (begin_drain, draining) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut drain = pin!(drain);
    loop {
        let accepted = tokio::select! {
            () = drain.as_mut() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = accept(&listener, &free) => accepted,
        };
        let (stream, peer, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                rest_after(&error).await;
                continue;
            }
        };
        if connection::tune(&stream, &limits).is_err() {
            continue; // the peer is gone already
        }
        let (service, builder, draining) = (service.clone(), builder.clone(), draining.clone());
        connections.spawn(async move {
            let _permit = permit;
            connection::run(stream, peer, builder, service, limits, draining).await;
        });
    }
    drop(listener);
    begin_drain.send_replace(());
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(drain_timeout, all).await.is_ok() {
        return Drained::All;
    }
    let left = connections.len();
    connections.shutdown().await;
    Drained::CutOff { connections: left }
}

type Accepted = (tokio::net::TcpStream, std::net::SocketAddr, tokio::sync::OwnedSemaphorePermit);

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, free: &Arc<Semaphore>) -> io::Result<Accepted> {
    let permit = Arc::clone(free).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

/// Errors of one connection (the peer gave up while it waited) pass at once; a lack of descriptors or
/// memory does not, and trying again in a loop would take the processor from those who could end it.
async fn rest_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    if !matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted) {
        tracing::warn!(%error, "cannot accept connections");
        sleep(ACCEPT_REST).await;
    }
}

#[cfg(test)]
mod tests;
