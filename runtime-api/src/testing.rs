//! What the tests share: a served session, and a client that writes requests byte by byte and reads
//! answers without any HTTP library in between.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::{Delivery, Event, RuntimeState, Session, SessionConfig};

pub(crate) const NEXT: &str = "/2018-06-01/runtime/invocation/next";
pub(crate) const INIT_ERROR: &str = "/2018-06-01/runtime/init/error";

/// A test that waits longer than this hangs.
const WATCHDOG: Duration = Duration::from_secs(60);

/// An environment whose Runtime API is served on a port of its own.
pub(crate) struct ServedEnvironment {
    pub(crate) session: Session,
    pub(crate) address: SocketAddr,
    pub(crate) served: JoinHandle<()>,
}

impl ServedEnvironment {
    pub(crate) async fn start() -> Self {
        Self::with(&SessionConfig::default()).await
    }

    pub(crate) async fn with(config: &SessionConfig) -> Self {
        let (session, service) = Session::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { session, address, served: tokio::spawn(service.serve(listener)) }
    }

    pub(crate) async fn connect(&self) -> Client {
        Client { stream: BufReader::new(TcpStream::connect(self.address).await.unwrap()) }
    }

    /// Makes a connection whose poll is waiting.
    pub(crate) async fn poll(&self) -> Client {
        let polls = self.session.polls();
        let mut client = self.connect().await;
        client.send(&request("GET", NEXT, "", b"")).await;
        self.until(|session| session.polls() > polls).await;
        client
    }

    /// Makes a connection that has taken the event `id`, and returns it with the invocation.
    pub(crate) async fn running(&self, id: &str) -> (Client, Delivery) {
        let mut client = self.poll().await;
        let invocation = self.session.deliver(event(id)).unwrap();
        assert_eq!(client.answer().await.header("lambda-runtime-aws-request-id"), Some(id));
        (client, invocation)
    }

    /// Waits for a condition that only the other end can fulfil.
    pub(crate) async fn until(&self, condition: impl Fn(&Session) -> bool) {
        let met = async {
            while !condition(&self.session) {
                tokio::task::yield_now().await;
            }
        };
        timeout(WATCHDOG, met).await.expect("condition not met");
    }

    pub(crate) async fn until_state(&self, state: RuntimeState) {
        self.until(|session| session.state() == state).await;
    }
}

/// An event named `id` whose attempt is `attempt-<id>` and whose payload is `{"id":"<id>"}`.
pub(crate) fn event(id: &str) -> Event {
    Event {
        request_id: id.to_owned(),
        deadline_ms: 1_795_000_000_000,
        invoked_function_arn: "arn:aws:lambda:eu-west-1:000000000000:function:f".to_owned(),
        invocation_id: format!("attempt-{id}"),
        body: Bytes::from(format!("{{\"id\":\"{id}\"}}")),
        ..Event::default()
    }
}

pub(crate) fn response_path(id: &str) -> String {
    format!("/2018-06-01/runtime/invocation/{id}/response")
}

pub(crate) fn error_path(id: &str) -> String {
    format!("/2018-06-01/runtime/invocation/{id}/error")
}

/// A request with a declared length. `headers` are whole lines with their CRLF.
pub(crate) fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nHost: h\r\n{headers}Content-Length: {}\r\n\r\n", body.len())
            .into_bytes();
    request.extend_from_slice(body);
    request
}

/// A chunked request: each part is a chunk, `trailers` are whole lines.
pub(crate) fn chunked(path: &str, headers: &str, parts: &[&[u8]], trailers: &str) -> Vec<u8> {
    let mut request =
        format!("POST {path} HTTP/1.1\r\nHost: h\r\n{headers}Transfer-Encoding: chunked\r\n\r\n")
            .into_bytes();
    for part in parts {
        request.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
        request.extend_from_slice(part);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(format!("0\r\n{trailers}\r\n").as_bytes());
    request
}

/// A client with one connection.
pub(crate) struct Client {
    pub(crate) stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).await.unwrap();
    }

    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.get_mut().write_all(bytes).await
    }

    pub(crate) async fn call(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> RawAnswer {
        self.send(&request(method, path, headers, body)).await;
        self.answer().await
    }

    pub(crate) async fn post(&mut self, path: &str, body: &str) -> RawAnswer {
        self.call("POST", path, "", body.as_bytes()).await
    }

    pub(crate) async fn answer(&mut self) -> RawAnswer {
        timeout(WATCHDOG, self.try_answer()).await.expect("no answer").expect("connection ended")
    }

    /// `None` when the connection ends before an answer is complete.
    pub(crate) async fn try_answer(&mut self) -> Option<RawAnswer> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines[0].split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<_> = lines[1..]
            .iter()
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut answer = RawAnswer { status, headers, body: String::new() };
        let length = answer.header("content-length").unwrap_or("0").parse().unwrap();
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.ok()?;
        answer.body = String::from_utf8(body).unwrap();
        Some(answer)
    }
}

/// One answer.
#[derive(Debug)]
pub(crate) struct RawAnswer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl RawAnswer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// An answer is its status, its content type and its whole body.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.body.as_str()), (status, body));
        if body.starts_with('{') {
            assert_eq!(self.header("content-type"), Some("application/json"));
        }
    }

    #[track_caller]
    pub(crate) fn is_accepted(&self) {
        self.is(202, r#"{"status":"OK"}"#);
    }

    #[track_caller]
    pub(crate) fn is_invalid_request_id(&self) {
        self.is(400, r#"{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}"#);
    }

    #[track_caller]
    pub(crate) fn is_truncated(&self) {
        self.is(
            400,
            r#"{"errorMessage":"HTTP request detected as truncated","errorType":"TruncatedHTTPRequest"}"#,
        );
    }

    #[track_caller]
    pub(crate) fn is_forbidden(&self, from: &str, to: &str) {
        self.is(403, &format!(
            r#"{{"errorMessage":"State transition from {from} to {to} failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}}"#
        ));
    }
}
