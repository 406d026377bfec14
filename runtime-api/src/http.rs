//! Connections of one environment: HTTP/1.1, kept open for ever, because a poll may wait for hours.

use std::convert::Infallible;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

use crate::limits::{CONNECTIONS_MAX, HEADERS_BYTES_MAX};
use crate::routes;
use crate::session::Shared;

/// Serves the runtime until its session is dropped.
#[derive(Debug)]
pub struct Service {
    shared: Arc<Shared>,
    ended: oneshot::Receiver<()>,
}

impl Service {
    pub(crate) fn new(shared: Arc<Shared>, ended: oneshot::Receiver<()>) -> Self {
        Self { shared, ended }
    }

    /// Accepts connections on the listener of the environment's own network namespace. Ends with the session;
    /// its connections end with it.
    pub async fn serve(mut self, listener: TcpListener) {
        let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut connections = JoinSet::new();
        loop {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            tokio::select! {
                _ = &mut self.ended => return,
                accepted = listener.accept() => {
                    // An error here is the peer's or a passing lack of descriptors: the next one may do.
                    let Ok((stream, _)) = accepted else {
                        tokio::task::yield_now().await;
                        continue;
                    };
                    let shared = Arc::clone(&self.shared);
                    connections.spawn(async move {
                        connection(shared, stream).await;
                        drop(permit);
                    });
                }
            }
            while connections.try_join_next().is_some() {}
        }
    }
}

async fn connection(shared: Arc<Shared>, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(routes::answer(&shared, request).await) }
    });
    let mut server = http1::Builder::new();
    server.max_buf_size(HEADERS_BYTES_MAX).pipeline_flush(true);
    // The runtime's own broken connection is nobody's error.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}
