//! The runtime's end of a session: connections on the environment's listener, and the routes that answer
//! them.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::http::metered::{Metered, Phase};
use crate::http::peer::Peer;
use crate::limits::{CONNECTION_DESCRIPTORS, CONNECTIONS_FREE, CONNECTIONS_MAX, REQUEST_HEAD_MAX_BYTES};
use crate::routes;
use crate::session::{Session, SharedQueue};

/// Pause after the kernel refused a connection because it has no descriptors or memory left.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Settings of one session.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Connections that the environment may hold open at once.
    pub connections_max: usize,
    /// Pool from which connections beyond the first [`crate::limits::CONNECTIONS_FREE`] take their
    /// descriptors; without a pool they are not limited.
    pub descriptors: Option<Arc<Semaphore>>,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self { connections_max: CONNECTIONS_MAX, descriptors: None }
    }
}

/// The runtime's end of one environment: serves the Runtime API on the environment's listener.
#[derive(Debug)]
pub struct Service {
    shared: Arc<SharedQueue>,
    ended: watch::Receiver<()>,
    config: SessionConfig,
}

impl Session {
    /// Makes a session and the HTTP service for its runtime.
    pub fn new(config: &SessionConfig) -> (Self, Service) {
        let shared = Arc::new(SharedQueue::default());
        let (session, ended) = Self::open(Arc::clone(&shared));
        (session, Service { shared, ended, config: config.clone() })
    }
}

impl Service {
    /// Serves until the session ends; then, or when this future is dropped, every connection is closed. There
    /// is one task per connection, none per request.
    ///
    /// There is no idle or read timeout, because a frozen process may continue a call after hours. What a
    /// runtime can hold open is bounded instead.
    pub async fn serve(self, listener: TcpListener) {
        let Self { shared, mut ended, config } = self;
        let mut connections = JoinSet::new();
        loop {
            let (stream, permit) = tokio::select! {
                // Nothing is ever sent: a change means that the sender was dropped.
                _ = ended.changed() => return,
                accepted = accept(&listener, &mut connections, &config) => accepted,
            };
            let shared = Arc::clone(&shared);
            connections.spawn(async move {
                let _permit = permit;
                serve_connection(stream, shared).await;
            });
        }
    }
}

/// Accepts the next connection once there is room for it and, beyond the free ones, a descriptor.
async fn accept(
    listener: &TcpListener,
    connections: &mut JoinSet<()>,
    config: &SessionConfig,
) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= config.connections_max {
            connections.join_next().await;
            continue;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                let permit = match &config.descriptors {
                    Some(pool) if connections.len() >= CONNECTIONS_FREE => Some(descriptors(pool).await),
                    _ => None,
                };
                return (stream, permit);
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection of the Runtime API");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

/// Tries again and again instead of waiting, because a waiter in the semaphore's queue would hold back the
/// descriptors that new environments need.
async fn descriptors(pool: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    loop {
        if let Ok(permit) = Arc::clone(pool).try_acquire_many_owned(CONNECTION_DESCRIPTORS) {
            return permit;
        }
        tokio::time::sleep(ACCEPT_RETRY).await;
    }
}

async fn serve_connection(stream: TcpStream, shared: Arc<SharedQueue>) {
    let peer = match Peer::of(&stream) {
        Ok(peer) => peer,
        Err(error) => return tracing::warn!(%error, "cannot watch a connection of the Runtime API"),
    };
    let phase = Arc::<Phase>::default();
    let stream = Metered::new(stream, &phase, shared.budget());
    let (shared, peer, phase) = (&shared, &peer, &phase);
    let service = service_fn(|request| async move {
        let _answering = phase.answer();
        routes::answer(request, shared, peer).await
    });
    // Half-closing stays off: the end of the client's side shows that a poll's client is gone.
    let served = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(REQUEST_HEAD_MAX_BYTES)
        .max_header_size(REQUEST_HEAD_MAX_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection of the Runtime API broke");
    }
}
