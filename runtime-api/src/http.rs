//! HTTP/1.1 over the environment's listener: connections, and nothing that knows a route.

pub(crate) mod body;
pub(crate) mod peer;
pub(crate) mod reply;

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::peer::Peer;
use crate::limits::REQUEST_HEAD_MAX_BYTES;
use crate::routes;
use crate::session::Shared;

/// How long to wait after the system refused a connection (out of descriptors or memory).
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// The runtime's end of one environment: serves the Runtime API on the environment's listener.
#[derive(Debug)]
pub struct Service {
    shared: Arc<Shared>,
    ended: watch::Receiver<()>,
    connections_max: usize,
}

impl Service {
    pub(crate) const fn new(shared: Arc<Shared>, ended: watch::Receiver<()>, connections_max: usize) -> Self {
        Self { shared, ended, connections_max }
    }

    /// Serves until the session is gone; then, or when this future is dropped, every connection is
    /// closed. One task per connection, none per request.
    ///
    /// There is no idle or read timeout: a frozen process may resume inside a call after hours. What a
    /// runtime can hold open is bounded instead.
    pub async fn serve(self, listener: TcpListener) {
        let Self { shared, mut ended, connections_max } = self;
        let mut connections = JoinSet::new();
        loop {
            let stream = tokio::select! {
                // The sender is never written to: any change is its end.
                _ = ended.changed() => return,
                stream = accept(&listener, &mut connections, connections_max) => stream,
            };
            connections.spawn(serve_connection(stream, Arc::clone(&shared)));
        }
    }
}

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, connections: &mut JoinSet<()>, connections_max: usize) -> TcpStream {
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= connections_max {
            connections.join_next().await;
            continue;
        }
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "runtime api cannot accept a connection");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

async fn serve_connection(stream: TcpStream, shared: Arc<Shared>) {
    let peer = match Peer::of(&stream) {
        Ok(peer) => peer,
        Err(error) => return tracing::warn!(%error, "runtime api cannot watch a connection"),
    };
    let (shared, peer) = (&shared, &peer);
    let service = service_fn(|request| routes::answer(request, shared, peer));
    // Half-closing stays off: the end of the client's side is how a vanished poll is noticed.
    let served = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(REQUEST_HEAD_MAX_BYTES)
        .max_header_size(REQUEST_HEAD_MAX_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "runtime api connection broke");
    }
}
