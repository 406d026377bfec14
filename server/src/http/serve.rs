//! Accepts connections, and drains them.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::Request;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::Service;

use super::connection;
use super::table::{Activity, ConnectionTable, Crowd, Seat};
use crate::remark::Remark;

/// How long accepting pauses when the process or the system has no descriptor left.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Limits of the listener and of each connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections at a time. A further one closes the idlest; it waits if all are busy.
    pub connections_max: usize,
    /// Connections of callers that are not authenticated yet. A further one closes the idlest of them, but
    /// none that is new.
    pub strangers_max: usize,
    /// The same, for one address.
    pub strangers_per_peer_max: usize,
    /// Bytes of the request line and the headers together.
    pub header_bytes_max: usize,
    /// Time from the connection to the end of the headers that authenticate the caller.
    pub first_request: Duration,
    /// Time from an answer to the end of the next request's headers, for an authenticated caller.
    pub idle: Duration,
    /// How long a client may read nothing of an answer that waits.
    pub write_stall: Duration,
}

impl ConnectionLimits {
    /// Limits for this number of connections.
    pub fn of(connections_max: usize) -> Self {
        let strangers_max = (connections_max / 2).clamp(1, 1000);
        Self {
            connections_max,
            strangers_max,
            strangers_per_peer_max: (strangers_max / 2).max(64).min(strangers_max),
            ..Self::default()
        }
    }
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            strangers_max: 1000,
            strangers_per_peer_max: 500,
            // The largest headers of a client: a client context of 3.5 KB and a presigned query.
            header_bytes_max: 32 * 1024,
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
    /// The time was over before all requests were answered.
    CutOff {
        /// Number of connections that were closed.
        connections: usize,
    },
}

/// Serves until `drain` completes. Then closes the listener and idle connections, and lets running requests
/// complete for at most `drain_timeout`.
pub async fn serve_connections<S>(
    listener: TcpListener,
    service: S,
    limits: ConnectionLimits,
    drain: impl Future<Output = ()>,
    drain_timeout: Duration,
) -> Drained
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let builder = connection::builder(&limits);
    let table = ConnectionTable::new(limits);
    let (begin_drain, draining) = watch::channel(());
    let mut connections = JoinSet::new();
    let (mut drain, remarks) = (pin!(drain), Remarks::default());
    {
        // Kept across iterations, because it may have a connection that waits for a seat.
        let mut accepting = pin!(accept(&listener, &table, &remarks));
        loop {
            let Accepted { stream, peer, activity, seat } = tokio::select! {
                () = drain.as_mut() => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => continue,
                accepted = accepting.as_mut() => accepted,
            };
            accepting.set(accept(&listener, &table, &remarks));
            if connection::tune(&stream, &limits).is_err() {
                continue; // the client has disconnected
            }
            let (service, builder, draining) = (service.clone(), builder.clone(), draining.clone());
            let number = seat.number();
            let task = connections.spawn(async move {
                let _seat = seat;
                connection::run(stream, peer, activity, builder, service, limits, draining).await;
            });
            table.serves(number, task);
        }
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

struct Accepted {
    stream: tokio::net::TcpStream,
    peer: std::net::SocketAddr,
    activity: Arc<Activity>,
    seat: Seat,
}

/// Lines for the operator about limits that are reached, each once a minute at most.
#[derive(Debug, Default)]
struct Remarks {
    house: Remark,
    strangers: Remark,
    accept: Remark,
}

impl Remarks {
    fn tell(&self, crowd: Crowd, peer: std::net::SocketAddr, limits: &ConnectionLimits) {
        let ConnectionLimits { connections_max, strangers_max, strangers_per_peer_max, .. } = *limits;
        match crowd {
            Crowd::House => self.house.make(|| {
                tracing::warn!(
                    connections_max,
                    "all connections that the server may have are in use; the idlest are closed. The limit \
                     of open files (LimitNOFILE=, ulimit -n) decides how many there may be"
                );
            }),
            Crowd::Peer | Crowd::Strangers => self.strangers.make(|| {
                tracing::warn!(
                    %peer,
                    strangers_max,
                    strangers_per_peer_max,
                    "too many connections of clients that are not authenticated; the idlest are closed"
                );
            }),
        }
    }
}

/// The next connection, when there is a seat for it.
async fn accept(listener: &TcpListener, table: &ConnectionTable, remarks: &Remarks) -> Accepted {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let activity = Arc::new(Activity::new());
                let tell = |crowd| remarks.tell(crowd, peer, table.limits());
                let seat = table.seat(peer.ip(), &activity, tell).await;
                return Accepted { stream, peer, activity, seat };
            }
            Err(error) => rest_after(&error, table, remarks).await,
        }
    }
}

/// Errors of one connection (the client disconnected while it waited) end at once. A lack of descriptors or
/// memory does not; trying again in a loop would take processor time from work that could end it.
async fn rest_after(error: &io::Error, table: &ConnectionTable, remarks: &Remarks) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    if matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted) {
        return;
    }
    remarks.accept.make(|| {
        tracing::warn!(
            %error,
            "cannot accept connections; the idlest are closed. If too many files are open, raise the limit \
             of open files (LimitNOFILE=, ulimit -n)"
        );
    });
    table.evict_idlest();
    sleep(ACCEPT_REST).await;
}

#[cfg(test)]
mod tests;
