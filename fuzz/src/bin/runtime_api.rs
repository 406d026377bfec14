//! Connections to the Runtime API: heads, lengths, chunks, trailers, several requests on one connection;
//! while the environment starts, and while it has an event. The session stays usable whatever the bytes are.

#![no_main]

use std::cell::LazyCell;
use std::net::TcpListener as StdListener;
use std::time::Duration;

use bytes::Bytes;
use lambd_runtime_api::{Event, RuntimeState, Session, SessionConfig};
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::time::timeout;

/// A run in which an answer or the end of a connection takes longer than this is a failure.
const WATCHDOG: Duration = Duration::from_secs(20);

struct World {
    runtime: Runtime,
    listener: StdListener,
}

thread_local! {
    static WORLD: LazyCell<World> = LazyCell::new(|| {
        let listener = StdListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("it does not block");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        World { runtime, listener }
    });
}

const ANSWER: &str = "POST /2018-06-01/runtime/invocation/a/response HTTP/1.1\r\nHost: h\r\n";
const ERROR: &str = "POST /2018-06-01/runtime/invocation/a/error HTTP/1.1\r\nHost: h\r\n";
const INIT_ERROR: &str = "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: h\r\n";
const NEXT: &str = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: h\r\n\r\n";

/// The first byte selects whether an event is in flight.
fn seeds() -> Vec<String> {
    let streaming =
        "Lambda-Runtime-Function-Response-Mode: streaming\r\nLambda-Runtime-Invocation-Id: attempt-a\r\n";
    let error =
        "Lambda-Runtime-Function-Error-Type: Runtime.X\r\nLambda-Runtime-Function-XRay-Error-Cause: {}\r\n";
    let chunks = "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n4;x=y\r\ncdef\r\n0\r\n";
    let requests = [
        format!("{ANSWER}Content-Length: 7\r\n\r\n{{\"x\":1}}"),
        format!("{ANSWER}{streaming}{chunks}Lambda-Runtime-Function-Error-Type: X\r\n\r\n"),
        format!("{ANSWER}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{{}}{NEXT}"),
        format!("{ERROR}{error}Content-Length: 20\r\n\r\n{{\"errorMessage\":\"m\"}}{NEXT}"),
        format!(
            "{ERROR}Content-Type: application/vnd.aws.lambda.error.cause+json\r\nContent-Length: 2\r\n\r\n{{}}"
        ),
        format!("{INIT_ERROR}{error}Content-Length: 2\r\n\r\n{{}}"),
        NEXT.repeat(2),
        "PUT /2022-07-01/telemetry HTTP/1.0\r\n\r\n".to_owned(),
        "GET /2020-01-01/extension/event/next HTTP/1.1\r\nHost: h\r\nLambda-Extension-Identifier: x\r\n\r\n"
            .to_owned(),
    ];
    requests.iter().flat_map(|request| [format!("0{request}"), format!("1{request}")]).collect()
}

fn event(id: &str) -> Event {
    Event {
        request_id: id.to_owned(),
        invocation_id: format!("attempt-{id}"),
        body: Bytes::from_static(b"{}"),
        ..Event::default()
    }
}

/// A new connection. It ends with a reset, so that its port is free at once.
async fn connect(listener: &StdListener) -> TcpStream {
    let stream = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("a connection");
    stream.set_zero_linger().expect("an option");
    stream
}

/// Makes the runtime poll on a connection of its own, and waits until the session sees the poll.
async fn poll(listener: &StdListener, session: &Session) -> TcpStream {
    let polls = session.polls();
    let mut stream = connect(listener).await;
    stream.write_all(NEXT.as_bytes()).await.expect("it is written");
    while session.polls() == polls {
        tokio::task::yield_now().await;
    }
    stream
}

async fn hostile(listener: &StdListener, bytes: &[u8], is_running: bool) {
    let (session, service) = Session::new(&SessionConfig::default());
    let own = TcpListener::from_std(listener.try_clone().expect("a descriptor")).expect("a listener");
    let serving = tokio::spawn(service.serve(own));
    let mut polling = None;
    let mut invocation = None;
    if is_running {
        polling = Some(poll(listener, &session).await);
        let mut delivered = session.deliver(event("a")).expect("a poll waits");
        while session.state() == RuntimeState::Ready {
            tokio::task::yield_now().await;
        }
        // There is an outcome at once, or none at all.
        let _ = timeout(Duration::ZERO, delivered.outcome()).await;
        invocation = Some(delivered);
    }
    let mut stream = connect(listener).await;
    // The server may refuse and close before everything is written.
    if stream.write_all(bytes).await.is_ok() && stream.shutdown().await.is_ok() {
        let mut answers = Vec::new();
        let before = session.polls();
        tokio::select! {
            _ = stream.read_to_end(&mut answers) => {}
            // A poll waits for an event; the end of its connection is noticed when there is one.
            () = async { while session.polls() == before { tokio::task::yield_now().await } } => {}
        }
    }
    drop((stream, polling));
    if let (RuntimeState::InvocationResponse | RuntimeState::InvocationErrorResponse, Some(invocation)) =
        (session.state(), &mut invocation)
    {
        invocation.outcome().await;
    }
    drop(invocation);
    // The service ends with its session.
    drop(session);
    serving.await.expect("the service ends without a panic");
}

fuzz_target!(
    init: lambd_fuzz::seed(seeds()),
    |bytes: &[u8]| {
        let Some((first, rest)) = bytes.split_first() else { return };
        WORLD.with(|world| {
            let done = async { timeout(WATCHDOG, hostile(&world.listener, rest, first & 1 == 1)).await };
            world.runtime.block_on(done).expect("a connection or a session hangs");
        });
    }
);
