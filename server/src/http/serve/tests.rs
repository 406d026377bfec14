//! The listener, with raw sockets and our own client.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use bytes::Bytes;
use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::http::{call, respond};

struct Server {
    address: SocketAddr,
    drain: Option<oneshot::Sender<()>>,
    done: JoinHandle<Drained>,
    /// The path `/slow` reports that it has begun, and waits until it may go on.
    begun: Arc<Notify>,
    go: Arc<Notify>,
}

impl Server {
    async fn start(limits: ConnectionLimits, drain_timeout: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (told, awaited) = (Arc::clone(&begun), Arc::clone(&go));
        let router = Router::new().fallback(move |request: Request<Body>| async move {
            if request.uri().path() == "/slow" {
                told.notify_one();
                awaited.notified().await;
            }
            respond(StatusCode::OK, [], request.uri().path().to_owned())
        });
        let (drain, drained) = oneshot::channel::<()>();
        let drained = async move { _ = drained.await };
        let done = tokio::spawn(serve_connections(listener, router, limits, drained, drain_timeout));
        Self { address, drain: Some(drain), done, begun, go }
    }

    fn drain(&mut self) {
        drop(self.drain.take());
    }

    /// Sends bytes and reads until the server closes the connection.
    async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut text = Vec::new();
        // A reset also ends the connection.
        let _ = stream.read_to_end(&mut text).await;
        String::from_utf8_lossy(&text).into_owned()
    }

    fn get(&self, path: &str) -> JoinHandle<Result<http::Response<Bytes>, crate::http::client::CallError>> {
        let request = Request::get(format!("http://{}{path}", self.address)).header("host", "h");
        tokio::spawn(call(request.body(()).unwrap().into_parts().0, Bytes::new()))
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn every_answer_has_an_id_and_a_date() {
    let server = Server::start(ConnectionLimits::default(), MINUTE).await;
    let answer = server.get("/x").await.unwrap().unwrap();
    assert_eq!((answer.status(), answer.body().as_ref()), (StatusCode::OK, b"/x".as_slice()));
    assert!(answer.headers()["x-amzn-requestid"].to_str().unwrap().parse::<uuid::Uuid>().is_ok());
    assert!(answer.headers().contains_key("date"));
}

#[tokio::test]
async fn malformed_heads_are_refused() {
    let server = Server::start(
        ConnectionLimits { header_bytes_max: 16 * 1024, ..ConnectionLimits::default() },
        MINUTE,
    )
    .await;
    let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(32 * 1024));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200));
    for (bytes, status) in [
        ("nonsense\r\n\r\n", " 400 "),
        ("GET / HTTP/1.1\r\nbad header\r\n\r\n", " 400 "),
        ("GET / HTTP/1.1\r\na\0b: c\r\n\r\n", " 400 "),
        ("POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", " 400 "),
        ("POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", " 400 "),
        ("POST / HTTP/1.1\r\ntransfer-encoding: chunked, gzip\r\n\r\n", " 400 "),
        ("POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", " 400 "),
        (&long, " 431 "),
        (&many, " 431 "),
    ] {
        let answer = server.raw(bytes.as_bytes()).await;
        let first = answer.lines().next().unwrap_or_default();
        assert!(first.contains(status), "{:?}: {first:?}", &bytes[..bytes.len().min(60)]);
    }
    assert!(server.get("/still-there").await.unwrap().is_ok());
}

#[tokio::test]
async fn silent_and_slow_peers_are_closed() {
    let short = Duration::from_millis(50);
    let server = Server::start(
        ConnectionLimits { first_request: short, idle: short, ..ConnectionLimits::default() },
        MINUTE,
    )
    .await;
    // Nothing, the start of an HTTP/2 preface, half a head, and a connection that is idle after a request.
    for bytes in ["", "PRI * HT", "GET / HTTP/1.1\r\nhost: h\r\n", "GET /idle HTTP/1.1\r\nhost: h\r\n\r\n"] {
        let answer = server.raw(bytes.as_bytes()).await;
        assert_eq!(answer.contains("/idle"), bytes.contains("/idle"), "{bytes:?}: {answer}");
    }
    // A request in flight is not idle.
    let slow = server.get("/slow");
    server.begun.notified().await;
    sleep(short * 4).await;
    server.go.notify_one();
    assert_eq!(slow.await.unwrap().unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_connection_over_the_limit_waits_while_all_are_busy() {
    let server =
        Server::start(ConnectionLimits { connections_max: 1, ..ConnectionLimits::default() }, MINUTE).await;
    let slow = server.get("/slow");
    server.begun.notified().await;
    let second = server.get("/second");
    sleep(Duration::from_millis(20)).await;
    assert!(!second.is_finished());
    server.go.notify_one();
    assert!(slow.await.unwrap().is_ok());
    assert!(second.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_drain_lets_requests_complete() {
    let mut server = Server::start(ConnectionLimits::default(), MINUTE).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(b"GET /a HTTP/1.1\r\nhost: h\r\n\r\n").await.unwrap();
    let mut first = [0; 8];
    idle.read_exact(&mut first).await.unwrap();
    let slow = server.get("/slow");
    server.begun.notified().await;
    server.drain();
    idle.read_to_end(&mut Vec::new()).await.unwrap(); // the idle connection is closed
    assert!(TcpStream::connect(server.address).await.is_err(), "nothing new is accepted");
    assert!(!server.done.is_finished());
    server.go.notify_one();
    assert_eq!(slow.await.unwrap().unwrap().body().as_ref(), b"/slow");
    assert_eq!(server.done.await.unwrap(), Drained::All);
}

#[tokio::test]
async fn a_drain_ends_in_time() {
    let mut server = Server::start(ConnectionLimits::default(), Duration::from_millis(50)).await;
    let slow = server.get("/slow");
    server.begun.notified().await;
    let start = Instant::now();
    server.drain();
    assert_eq!(server.done.await.unwrap(), Drained::CutOff { connections: 1 });
    assert!(slow.await.unwrap().is_err());
    assert!(start.elapsed() < MINUTE);
}

#[tokio::test]
async fn http2_is_served_by_prior_knowledge() {
    let server = Server::start(ConnectionLimits::default(), MINUTE).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(format!("http://{}/two", server.address)).body(Body::empty()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!((answer.version(), answer.status()), (http::Version::HTTP_2, StatusCode::OK));
}
