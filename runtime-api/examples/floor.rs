//! The floor of a warm invocation: client → minimal hyper server → the same runtime process → back, without
//! sandbox, signatures, pool or logs. `make bench` measures lambd against it in the same run.
//!
//! `floor --front ADDR --api ADDR` serves `POST /` on the one and the Runtime API's `next` and `response` on the
//! other, and prints both addresses. One event at a time, as one runtime process has it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};

type Answer = Response<Full<Bytes>>;

/// The two ends of the one rendezvous.
struct Floor {
    to_runtime: mpsc::Sender<Bytes>,
    events: Mutex<mpsc::Receiver<Bytes>>,
    to_client: mpsc::Sender<Bytes>,
    answers: Mutex<mpsc::Receiver<Bytes>>,
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut addresses = [SocketAddr::from(([127, 0, 0, 1], 0)); 2];
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        let place = usize::from(name == "--api");
        addresses[place] = value.parse().unwrap_or(addresses[place]);
    }
    let (to_runtime, events) = mpsc::channel(1);
    let (to_client, answers) = mpsc::channel(1);
    let floor = Floor { to_runtime, events: Mutex::new(events), to_client, answers: Mutex::new(answers) };
    let floor = Arc::new(floor);
    let [front, api] = addresses;
    let (Ok(front), Ok(api)) = (TcpListener::bind(front).await, TcpListener::bind(api).await) else {
        report("floor: an address is in use");
        return;
    };
    if let (Ok(front), Ok(api)) = (front.local_addr(), api.local_addr()) {
        report(&format!("front {front} api {api}"));
    }
    tokio::join!(serve(front, Arc::clone(&floor)), serve(api, floor));
}

#[expect(clippy::print_stdout, reason = "its caller reads the addresses")]
fn report(line: &str) {
    println!("{line}");
}

async fn serve(listener: TcpListener, floor: Arc<Floor>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let floor = Arc::clone(&floor);
        let service = service_fn(move |request| answer(Arc::clone(&floor), request));
        tokio::spawn(async move {
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(floor: Arc<Floor>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    Ok(if path.ends_with("/next") {
        let event = floor.events.lock().await.recv().await.unwrap_or_default();
        let mut response = Response::new(Full::new(event));
        let headers = response.headers_mut();
        headers.insert("lambda-runtime-aws-request-id", hyper::header::HeaderValue::from_static("floor"));
        headers
            .insert("lambda-runtime-deadline-ms", hyper::header::HeaderValue::from_static("9999999999999"));
        response
    } else if path.ends_with("/response") {
        let _ = floor.to_client.send(body).await;
        let mut response = Response::new(Full::new(Bytes::from_static(br#"{"status":"OK"}"#)));
        *response.status_mut() = StatusCode::ACCEPTED;
        response
    } else {
        let _ = floor.to_runtime.send(body).await;
        Response::new(Full::new(floor.answers.lock().await.recv().await.unwrap_or_default()))
    })
}
