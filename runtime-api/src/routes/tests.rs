use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::{Event, Outcome, RESPONSE_BYTES_MAX, Ready, Session};

const NEXT: &str = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n";

async fn served() -> (Session, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (session, service) = Session::new();
    tokio::spawn(service.serve(listener));
    (session, address)
}

fn event(id: &str) -> Event {
    Event { request_id: id.to_owned(), body: Bytes::from_static(b"{}"), ..Event::default() }
}

fn post(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A client on one connection, kept alive.
struct Client(TcpStream);

impl Client {
    async fn new(address: std::net::SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    async fn send(&mut self, request: impl AsRef<[u8]>) {
        self.0.write_all(request.as_ref()).await.unwrap();
    }

    /// Status, head in lower case, body by its Content-Length. A server that never answers fails the test.
    async fn receive(&mut self) -> (u16, String, String) {
        tokio::time::timeout(Duration::from_secs(30), self.read_answer()).await.expect("no answer")
    }

    async fn read_answer(&mut self) -> (u16, String, String) {
        let (mut data, mut chunk) = (Vec::new(), vec![0; 65536]);
        loop {
            let text = String::from_utf8_lossy(&data).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let head = head.to_lowercase();
                let length = head.lines().find_map(|l| l.strip_prefix("content-length: "));
                if body.len() >= length.map_or(0, |l| l.parse().unwrap()) {
                    return (head[9..12].parse().unwrap(), head, body.to_owned());
                }
            }
            let read = self.0.read(&mut chunk).await.unwrap();
            assert!(read > 0, "connection closed after {text:?}");
            data.extend_from_slice(&chunk[..read]);
        }
    }

    async fn call(&mut self, request: impl AsRef<[u8]>) -> (u16, String, String) {
        self.send(request).await;
        self.receive().await
    }
}

#[tokio::test]
async fn one_life() {
    let (session, address) = served().await;
    let mut client = Client::new(address).await;
    client.send(NEXT).await;
    assert_eq!(session.ready().await, Ready::Next);
    for id in ["one", "two"] {
        let mut sent = event(id);
        sent.client_context = Some("{\"ü\":1}".to_owned());
        sent.deadline_ms = 123;
        let mut delivery = session.deliver(sent);
        let (status, head, body) = client.receive().await;
        assert_eq!((status, body.as_str()), (200, "{}"));
        assert!(
            head.contains(&format!("lambda-runtime-aws-request-id: {id}"))
                && head.contains("deadline-ms: 123")
        );
        assert!(
            !head.contains("cognito") && !head.contains("trace-id"),
            "empty headers are left out: {head}"
        );
        assert!(delivery.was_delivered());
        let answer = client.call(post(&format!("invocation/{id}/response"), "", b"\"done\"")).await;
        assert_eq!((answer.0, answer.2.as_str()), (202, r#"{"status":"OK"}"#));
        let Outcome::Response { body, .. } = delivery.outcome().await else { panic!("no response") };
        assert_eq!(body, "\"done\"");
        client.send(NEXT).await;
        delivery.done().await;
    }
}

#[tokio::test]
async fn refusals() {
    let (session, address) = served().await;
    let mut poll = Client::new(address).await;
    let mut client = Client::new(address).await;
    let cases: [(Vec<u8>, u16, &str); 6] = [
        (b"GET /2018-06-01/ping HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 200, "pong"),
        (b"GET /2018-06-01/runtime/invocation/next/ HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 404, ""),
        (b"DELETE /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 405, ""),
        (b"GET /2018-06-01/runtime/restore/next HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 404, ""),
        (
            post("invocation/x/response", "", b"1"),
            400,
            r#"{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}"#,
        ),
        (
            b"PUT /2022-07-01/telemetry/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".to_vec(),
            202,
            r#"{"errorMessage":"Telemetry API is not supported","errorType":"Telemetry.NotSupported"}"#,
        ),
    ];
    for (request, status, body) in cases {
        let answer = client.call(&request).await;
        assert_eq!((answer.0, answer.2.as_str()), (status, body), "{}", String::from_utf8_lossy(&request));
    }
    poll.send(NEXT).await;
    session.ready().await;
    let init = client.call(post("init/error", "", b"{}")).await;
    assert_eq!(init.0, 403);
    assert!(init.2.contains("State transition from Ready to InitError failed for runtime. Error: State transition is not allowed"), "{}", init.2);
    let mut delivery = session.deliver(event("id"));
    poll.receive().await;
    assert_eq!(client.call(post("invocation/other/response", "", b"1")).await.0, 400);
    assert_eq!(client.call(post("invocation/id/error", "", b"{\"errorType\":\"E\"}")).await.0, 202);
    assert!(
        matches!(delivery.outcome().await, Outcome::Error { error_type, .. } if error_type == "Runtime.Unknown")
    );
    assert_eq!(client.call(post("invocation/id/response", "", b"1")).await.0, 403, "answered already");
}

/// A client that writes head and body apart must see the refusal, not a closed connection.
#[tokio::test]
async fn a_refusal_waits_for_the_body() {
    let (_session, address) = served().await;
    let mut client = Client::new(address).await;
    for _ in 0..3 {
        let request = post("invocation/x/response", "", &vec![b'1'; 300_000]);
        let (head, body) = request.split_at(request.len() - 300_000);
        client.send(head).await;
        tokio::task::yield_now().await;
        client.send(body).await;
        assert_eq!(client.receive().await.0, 400);
    }
}

#[tokio::test]
async fn init_error_is_accepted_once() {
    let (session, address) = served().await;
    let mut client = Client::new(address).await;
    let header = "Lambda-Runtime-Function-Error-Type: Runtime.ImportModuleError\r\n";
    assert_eq!(client.call(post("init/error", header, b"{\"e\":1}")).await.0, 202);
    let Ready::InitError(error) = session.ready().await else { panic!("not an init error") };
    assert_eq!(
        (error.body.as_ref(), error.error_type.as_str()),
        (&b"{\"e\":1}"[..], "Runtime.ImportModuleError")
    );
    assert_eq!(client.call(post("init/error", header, b"{}")).await.0, 403);
    assert_eq!(client.call(NEXT).await.0, 403);
}

#[tokio::test]
async fn the_same_event_again_until_it_is_answered() {
    let (session, address) = served().await;
    let (mut a, mut b) = (Client::new(address).await, Client::new(address).await);
    a.send(NEXT).await;
    session.ready().await;
    let _delivery = session.deliver(event("id"));
    assert!(a.receive().await.1.contains(": id"));
    assert!(b.call(NEXT).await.1.contains(": id"));
}

#[tokio::test]
async fn a_poll_that_has_gone_swallows_nothing() {
    let (session, address) = served().await;
    for _ in 0..50 {
        let (mut dead, mut living) = (Client::new(address).await, Client::new(address).await);
        dead.send(NEXT).await;
        session.ready().await;
        living.send(NEXT).await;
        drop(dead);
        // The server must have seen the end of the connection: another round trip is behind it.
        Client::new(address).await.call("GET /2018-06-01/ping HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let mut delivery = session.deliver(event("id"));
        let got =
            tokio::time::timeout(Duration::from_secs(20), living.receive()).await.expect("the event is lost");
        assert!(got.1.contains(": id"));
        living.call(post("invocation/id/response", "", b"1")).await;
        delivery.outcome().await;
    }
}

#[tokio::test]
async fn an_event_taken_back_is_not_delivered() {
    let (session, address) = served().await;
    let delivery = session.deliver(event("early"));
    assert!(!delivery.was_delivered());
    drop(delivery);
    let mut client = Client::new(address).await;
    client.send(NEXT).await;
    session.ready().await;
    let _delivery = session.deliver(event("late"));
    assert!(client.receive().await.1.contains(": late"));
}

#[tokio::test]
async fn sizes() {
    let (session, address) = served().await;
    let mut client = Client::new(address).await;
    client.send(NEXT).await;
    session.ready().await;
    for (size, status) in
        [(RESPONSE_BYTES_MAX, 202), (RESPONSE_BYTES_MAX + 1, 413), (RESPONSE_BYTES_MAX * 3, 413)]
    {
        let mut delivery = session.deliver(event("id"));
        client.receive().await;
        assert_eq!(client.call(post("invocation/id/response", "", &vec![b'1'; size])).await.0, status);
        match delivery.outcome().await {
            Outcome::Response { body, .. } => assert_eq!((body.len(), status), (size, 202)),
            Outcome::ResponseTooLarge => assert_eq!(status, 413),
            other => panic!("{other:?}"),
        }
        client.send(NEXT).await;
        delivery.done().await;
    }
}

#[tokio::test]
async fn headers_of_a_megabyte_pass() {
    let (session, address) = served().await;
    let mut client = Client::new(address).await;
    client.send(NEXT).await;
    session.ready().await;
    let mut delivery = session.deliver(event("id"));
    client.receive().await;
    let cause = format!("Lambda-Runtime-Function-XRay-Error-Cause: {}\r\n", "x".repeat(1_000_000));
    assert_eq!(client.call(post("invocation/id/error", &cause, b"{}")).await.0, 202);
    delivery.outcome().await;
    let cause = format!("X: {}\r\n", "x".repeat(1_100_000));
    let mut refused = Client::new(address).await;
    assert_eq!(refused.call(post("invocation/id/error", &cause, b"{}")).await.0, 431);
}

#[tokio::test]
async fn a_broken_body_is_a_truncated_response() {
    let (session, address) = served().await;
    let mut client = Client::new(address).await;
    client.send(NEXT).await;
    session.ready().await;
    let mut delivery = session.deliver(event("id"));
    client.receive().await;
    let mut broken = Client::new(address).await;
    broken.send("POST /2018-06-01/runtime/invocation/id/response HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf").await;
    drop(broken);
    assert_eq!(delivery.outcome().await, Outcome::Truncated);
    assert_eq!(client.call(post("invocation/id/response", "", b"1")).await.0, 403);
    client.send(NEXT).await;
    delivery.done().await;
}

#[tokio::test]
async fn response_modes() {
    let (session, address) = served().await;
    let mut client = Client::new(address).await;
    client.send(NEXT).await;
    session.ready().await;
    let mut delivery = session.deliver(event("a"));
    client.receive().await;
    let mode = "Lambda-Runtime-Function-Response-Mode: streaming\r\n";
    assert_eq!(client.call(post("invocation/a/response", mode, b"1")).await.0, 202);
    assert!(matches!(delivery.outcome().await, Outcome::Response { .. }));
    client.send(NEXT).await;
    delivery.done().await;
    let mut delivery = session.deliver(event("b"));
    client.receive().await;
    let mode = "Lambda-Runtime-Function-Response-Mode: Streaming\r\n";
    let answer = client.call(post("invocation/b/response", mode, b"1")).await;
    assert_eq!(answer.0, 400);
    assert!(answer.2.contains("InvalidFunctionResponseMode"));
    assert_eq!(delivery.outcome().await, Outcome::InvalidResponseMode);
    assert_eq!(client.call(NEXT).await.0, 403);
    assert_eq!(client.call(post("invocation/b/error", "", b"1")).await.0, 403);
}

#[tokio::test]
async fn trailers_of_go() {
    let (session, address) = served().await;
    let mut client = Client::new(address).await;
    client.send(NEXT).await;
    session.ready().await;
    let declared = "Transfer-Encoding: chunked\r\nTrailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n";
    for (id, trailers) in [
        ("fine", ""),
        (
            "late",
            "Lambda-Runtime-Function-Error-Type: Runtime.Late\r\nLambda-Runtime-Function-Error-Body: eyJlIjoxfQ==\r\n",
        ),
    ] {
        let mut delivery = session.deliver(event(id));
        client.receive().await;
        let request = format!(
            "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nHost: x\r\n{declared}\r\n3\r\nabc\r\n0\r\n{trailers}\r\n"
        );
        assert_eq!(client.call(request).await.0, 202);
        match delivery.outcome().await {
            Outcome::Response { body, .. } => assert_eq!((id, body.as_ref()), ("fine", &b"abc"[..])),
            Outcome::Error { body, error_type, .. } => {
                assert_eq!(
                    (id, body.as_ref(), error_type.as_str()),
                    ("late", &b"{\"e\":1}"[..], "Runtime.Late")
                );
            }
            other => panic!("{other:?}"),
        }
        client.send(NEXT).await;
        delivery.done().await;
    }
}

/// Damaged requests, seeded: the session still serves a good client afterwards.
#[tokio::test]
async fn mutations_never_wedge_it() {
    let (session, address) = served().await;
    let mut seed = 42_u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let good = post("invocation/id/response", "Lambda-Runtime-Invocation-Id: x\r\n", b"{\"a\":1}");
    for _ in 0..300 {
        let mut bad = good.clone();
        for _ in 0..=random(4) {
            let at = random(bad.len());
            bad[at] = u8::try_from(random(256)).unwrap();
        }
        bad.truncate(random(bad.len()) + 1);
        let mut client = Client::new(address).await;
        client.send(&bad).await;
    }
    let mut client = Client::new(address).await;
    client.send(NEXT).await;
    session.ready().await;
    let _delivery = session.deliver(event("id"));
    assert_eq!(client.receive().await.0, 200);
}
