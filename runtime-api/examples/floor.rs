//! The lower bound for a warm invocation: client → minimal hyper server → runtime process and back, without
//! sandbox, signatures, pool, state machine or logs.
//!
//! `floor [--api ADDR:PORT] [--front ADDR:PORT]` prints one line, `api ADDR:PORT front ADDR:PORT`. A runtime
//! started with `AWS_LAMBDA_RUNTIME_API=<api>` answers each `POST http://<front>/invoke`; any number of
//! runtimes may poll. Like the server, it has one worker thread per core.
#![expect(clippy::print_stdout, reason = "the ports are this program's output")]

use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};

const INVOCATION: &str = "/2018-06-01/runtime/invocation/";

type Reply = Response<Full<Bytes>>;

/// Events that wait for a runtime, and callers that wait for an answer.
#[derive(Default)]
struct Floor {
    calls: Mutex<Calls>,
    queued: Notify,
}

#[derive(Default)]
struct Calls {
    queue: VecDeque<(String, Bytes)>,
    callers: HashMap<String, oneshot::Sender<Bytes>>,
    count: u64,
}

impl Floor {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn invoke(&self, body: Bytes) -> Option<Bytes> {
        let (caller, answer) = oneshot::channel();
        {
            let mut calls = self.calls();
            calls.count += 1;
            let id = format!("00000000-0000-4000-8000-{:012x}", calls.count);
            calls.callers.insert(id.clone(), caller);
            calls.queue.push_back((id, body));
        }
        self.queued.notify_one();
        answer.await.ok()
    }

    async fn next(&self) -> (String, Bytes) {
        loop {
            let waiting = self.calls().queue.pop_front();
            if let Some(event) = waiting {
                return event;
            }
            self.queued.notified().await;
        }
    }

    fn respond(&self, id: &str, body: Bytes) -> bool {
        let caller = self.calls().callers.remove(id);
        caller.is_some_and(|caller| caller.send(body).is_ok())
    }
}

async fn front(floor: &Floor, request: Request<Incoming>) -> hyper::Result<Reply> {
    let body = request.into_body().collect().await?.to_bytes();
    Ok(match floor.invoke(body).await {
        Some(body) => Reply::new(Full::new(body)),
        None => status(StatusCode::BAD_GATEWAY),
    })
}

async fn api(floor: &Floor, request: Request<Incoming>) -> hyper::Result<Reply> {
    let path = request.uri().path();
    let Some(call) = path.strip_prefix(INVOCATION) else { return Ok(status(StatusCode::NOT_FOUND)) };
    if request.method() == Method::GET && call == "next" {
        let (id, body) = floor.next().await;
        return Ok(event(&id, body).unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR)));
    }
    let Some((id, _)) = call.split_once('/') else { return Ok(status(StatusCode::NOT_FOUND)) };
    let id = id.to_owned();
    let body = request.into_body().collect().await?.to_bytes();
    if !floor.respond(&id, body) {
        return Ok(status(StatusCode::BAD_REQUEST));
    }
    let mut reply = Reply::new(Full::new(Bytes::from_static(b"{\"status\":\"OK\"}")));
    *reply.status_mut() = StatusCode::ACCEPTED;
    Ok(reply)
}

/// Makes the answer to `next` with the five headers that every runtime client reads.
fn event(id: &str, body: Bytes) -> http::Result<Reply> {
    Response::builder()
        .header("Lambda-Runtime-Aws-Request-Id", id)
        .header("Lambda-Runtime-Deadline-Ms", "4102444800000")
        .header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:floor")
        .header("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000;Sampled=0")
        .header("Content-Type", "application/json")
        .body(Full::new(body))
}

fn status(status: StatusCode) -> Reply {
    let mut reply = Reply::default();
    *reply.status_mut() = status;
    reply
}

#[derive(Clone, Copy)]
enum Side {
    Front,
    Api,
}

async fn serve(listener: TcpListener, floor: Arc<Floor>, side: Side) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let floor = Arc::clone(&floor);
        tokio::spawn(async move {
            let floor = &floor;
            let service = service_fn(|request| async move {
                match side {
                    Side::Front => front(floor, request).await,
                    Side::Api => api(floor, request).await,
                }
            });
            // A client that disconnects ends only its own connection.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Reads `--api` and `--front`; the default port, 0, means a free port.
fn addresses() -> Result<(SocketAddr, SocketAddr), Box<dyn Error>> {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let (mut api, mut front) = (any, any);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs an address"))?;
        match name.as_str() {
            "--api" => api = value.parse()?,
            "--front" => front = value.parse()?,
            _ => return Err(format!("unknown argument {name}").into()),
        }
    }
    Ok((api, front))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (api, front) = addresses()?;
    let (api, front) = (TcpListener::bind(api).await?, TcpListener::bind(front).await?);
    println!("api {} front {}", api.local_addr()?, front.local_addr()?);
    let floor = Arc::new(Floor::default());
    tokio::try_join!(serve(api, Arc::clone(&floor), Side::Api), serve(front, floor, Side::Front))?;
    Ok(())
}
