//! A fake runtime that does what its events order, over a real socket.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lambd_sandbox::Exit;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::act::{Act, End, Init, Reply, wait};
use super::body::Body;

const API: &str = "/2018-06-01/runtime";
const NEXT: &str = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: h\r\n\r\n";

/// Runs until the program ends by itself. Its sockets are then closed.
pub(super) async fn run(body: &Arc<Body>, init: Init, api: SocketAddr) -> Exit {
    match start(body, init, api).await {
        Ok(exit) => exit,
        // The server closed the connection, as it does when it ends a session.
        Err(_) => Exit::Code(1),
    }
}

async fn start(body: &Arc<Body>, init: Init, api: SocketAddr) -> io::Result<Exit> {
    let mut client = Client { stream: BufReader::new(TcpStream::connect(api).await?) };
    match init {
        Init::Ready(after) => wait(after).await,
        Init::Exit(status) => return Ok(Exit::Code(status)),
        Init::PollAndExit(status) => {
            client.send(NEXT).await?;
            drop(client);
            tokio::time::sleep(Duration::from_millis(5)).await;
            return Ok(Exit::Code(status));
        }
        Init::NoProgram => return Ok(Exit::ExecFailed(2)),
        Init::Error => {
            client
                .post(&format!("{API}/init/error"), r#"{"errorType":"Init.Broken"}"#, "Init.Broken")
                .await?;
            std::future::pending::<()>().await;
        }
        Init::Hang | Init::Refused => std::future::pending().await,
    }
    loop {
        let (id, payload) = client.next().await?;
        // A frozen program receives the event when it is thawed.
        body.thawed().await;
        body.received(&id);
        let act: Act = serde_json::from_slice(&payload)?;
        if let Some(line) = act.line() {
            body.print(line);
        }
        act.work().await;
        let event = format!("{API}/invocation/{id}");
        let answer = serde_json::to_string(&Reply { environment: body.number, id })?;
        match act.end {
            End::Answer => client.post(&format!("{event}/response"), &answer, "").await?,
            End::Error => client.post(&format!("{event}/error"), r#"{"errorType":"Mine"}"#, "Mine").await?,
            End::Exit => return Ok(Exit::Code(1)),
            End::AnswerAndExit => {
                client.post(&format!("{event}/response"), &answer, "").await?;
                return Ok(Exit::Code(1));
            }
            End::AnswerAndVanish => {
                client.send(&post(&format!("{event}/response"), &answer, "")).await?;
                return Ok(Exit::Code(1));
            }
            End::Hang => std::future::pending().await,
        }
        act.rest().await;
    }
}

struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Receives the next event: its request id and payload.
    async fn next(&mut self) -> io::Result<(String, Vec<u8>)> {
        self.send(NEXT).await?;
        let (head, body) = self.receive().await?;
        let id = header(&head, "lambda-runtime-aws-request-id").expect("an event has an id");
        Ok((id.to_owned(), body))
    }

    async fn post(&mut self, path: &str, body: &str, error_type: &str) -> io::Result<()> {
        self.send(&post(path, body, error_type)).await?;
        let (head, _) = self.receive().await?;
        assert!(head[0].contains(" 202 "), "{head:?}");
        Ok(())
    }

    async fn send(&mut self, request: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(request.as_bytes()).await
    }

    /// Receives an answer: the lines of its head, and its body.
    async fn receive(&mut self) -> io::Result<(Vec<String>, Vec<u8>)> {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end() {
                "" => break,
                line => head.push(line.to_owned()),
            }
        }
        let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok((head, body))
    }
}

fn post(path: &str, body: &str, error_type: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: h\r\nLambda-Runtime-Function-Error-Type: {error_type}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

fn header<'a>(head: &'a [String], name: &str) -> Option<&'a str> {
    let mut fields = head.iter().filter_map(|line| line.split_once(": "));
    fields.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}
