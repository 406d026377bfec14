//! The server within one process. It needs no privilege, and works with any store and any launcher.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinHandle};

use crate::app::{App, Parts};
use crate::descriptors::{self, Shares};
use crate::http::{ConnectionLimits, Drained};
use crate::{api, gateway, http};

/// Time that invocations get at least after the last connection has ended.
const DRAIN_LEFT_MIN: Duration = Duration::from_secs(1);

/// A server that has read its stored state, but does nothing yet.
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
}

impl Server {
    /// Reads the stored state.
    ///
    /// # Errors
    /// As [`App::compose`].
    pub async fn build(parts: Parts) -> Result<Self> {
        Ok(Self { app: Arc::new(App::compose(parts).await?) })
    }

    /// Serves this listener's connections, activates the functions that a crash left Pending, and settles
    /// other resources.
    pub fn spawn(self, listener: TcpListener) -> Running {
        let app = self.app;
        api::activate_pending(&app);
        api::settle_resources(&app);
        let keep_alive = Duration::from_secs(app.config.environment_idle_s);
        let idle = tokio::spawn(Arc::clone(&app.dispatcher).manage_idle(keep_alive));
        let provisioned = tokio::spawn(Arc::clone(&app.dispatcher).keep_provisioned());
        let collect = tokio::spawn(Arc::clone(&app).collect_packages());
        app.collector.ask();
        let drain_timeout = Duration::from_secs(app.config.drain_timeout_s);
        let (begin_drain, draining) = oneshot::channel::<()>();
        let until_drain = async move {
            let _ = draining.await;
        };
        let router = gateway::router(Arc::clone(&app));
        let limits = ConnectionLimits::of(Shares::of(descriptors::limit()).connections);
        let connections = http::serve_connections(listener, router, limits, until_drain, drain_timeout);
        Running {
            app,
            connections: tokio::spawn(connections),
            begin_drain,
            drain_timeout,
            background: [idle.abort_handle(), provisioned.abort_handle(), collect.abort_handle()],
        }
    }
}

/// A running server.
#[derive(Debug)]
pub struct Running {
    app: Arc<App>,
    connections: JoinHandle<Drained>,
    /// Dropped to begin the drain.
    begin_drain: oneshot::Sender<()>,
    drain_timeout: Duration,
    background: [AbortHandle; 3],
}

impl Running {
    /// Accepts no more requests, lets running ones complete within `drain_timeout_s`, and writes the logs.
    /// When `hurry` completes before, ends whatever still runs.
    pub async fn drain(self, hurry: impl Future<Output = ()>) {
        let Self { app, connections, begin_drain, drain_timeout, background } = self;
        tracing::info!("draining");
        drop(begin_drain);
        let abort = connections.abort_handle();
        tokio::select! {
            () = end(&app, connections, drain_timeout) => {}
            () = hurry => {
                tracing::warn!("ending at a second signal everything that still runs");
                abort.abort();
            }
        }
        background.iter().for_each(AbortHandle::abort);
        let logs = Arc::clone(&app.logs);
        let _ = tokio::task::spawn_blocking(move || logs.stop()).await;
    }
}

/// Waits for requests and invocations. Invocations go on without their callers, but not after the drain.
async fn end(app: &App, connections: JoinHandle<Drained>, limit: Duration) {
    let deadline = Instant::now() + limit;
    if let Ok(Drained::CutOff { connections }) = connections.await {
        tracing::warn!(connections, "requests were still running after the drain timeout");
    }
    let left = deadline.saturating_duration_since(Instant::now()).max(DRAIN_LEFT_MIN);
    let cut_off = app.dispatcher.drain(left).await;
    if cut_off > 0 {
        tracing::warn!(cut_off, "invocations were still running after the drain timeout");
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;
    use crate::api::testing::Api;

    /// The test needs no root, no database and no launcher.
    #[tokio::test]
    async fn it_serves_from_spawn_to_drain() {
        let api = Api::new().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let running = Server { app: Arc::clone(&api.app) }.spawn(listener);
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET /2015-03-31/functions HTTP/1.1\r\nhost: h\r\n\r\n").await.unwrap();
        let mut head = [0; 12];
        client.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 403", "it asks for a signature");
        running.drain(std::future::pending()).await;
        assert!(TcpStream::connect(address).await.is_err(), "its port is closed");
    }
}
