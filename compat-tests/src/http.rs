//! A small blocking HTTP/1.1 client. It sends exactly the bytes that it gets, so that tests can send what no
//! library would, and the benchmark measures the server and not a client.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// Timeout of connecting: if a listener's queue is full, a connection hangs.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Timeout of reading, longer than the longest function timeout of these tests.
const READ_TIMEOUT: Duration = Duration::from_secs(90);

/// A complete answer.
#[derive(Debug, Clone)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Header fields in order, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, without chunk framing.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The first field of this lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// If it is not JSON; the error has the body's text.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {}", self.text()))
    }

    /// The body as text, for messages.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(600).collect()
    }

    /// Lambda's error code: `x-amzn-ErrorType` up to a colon; empty if the header is missing.
    #[must_use]
    pub fn code(&self) -> &str {
        self.header("x-amzn-errortype").and_then(|v| v.split(':').next()).unwrap_or("")
    }

    /// The error text, whose member is `message` for some errors and `Message` for others.
    #[must_use]
    pub fn message(&self) -> String {
        let json = self.json().unwrap_or_default();
        let text = json.get("message").or_else(|| json.get("Message")).and_then(|m| m.as_str());
        text.unwrap_or("").to_owned()
    }
}

/// A kept-alive connection.
#[derive(Debug)]
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Connects to `address`.
    ///
    /// # Errors
    /// If no listener is at `address`.
    pub fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT)
            .with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        Ok(Self(BufReader::with_capacity(1 << 16, stream)))
    }

    /// Sends these bytes.
    ///
    /// # Errors
    /// If the connection fails.
    pub fn send(&mut self, request: &[u8]) -> Result<()> {
        self.0.get_mut().write_all(request).context("sending a request")
    }

    /// Sends these bytes and reads one answer.
    ///
    /// # Errors
    /// If the connection fails, or the answer is not HTTP/1.1 with a known length.
    pub fn exchange(&mut self, request: &[u8]) -> Result<HttpResponse> {
        // The server may refuse and close the connection before a large body is completely sent; the answer
        // is then still in the receive buffer.
        let sent = self.0.get_mut().write_all(request);
        let answer = self.read();
        match (sent, answer) {
            (Err(e), Err(_)) => Err(e).context("sending a request"),
            (_, answer) => answer,
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).context("reading an answer")?;
        ensure!(line.ends_with("\r\n"), "the connection closed within an answer's head: {line:?}");
        line.truncate(line.len() - 2);
        Ok(line)
    }

    fn read(&mut self) -> Result<HttpResponse> {
        let first = self.line()?;
        let status = first.strip_prefix("HTTP/1.1 ").and_then(|r| r.get(..3)).and_then(|s| s.parse().ok());
        let status: u16 = status.with_context(|| format!("not a status line: {first:?}"))?;
        let mut answer = HttpResponse { status, headers: Vec::new(), body: Vec::new() };
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').with_context(|| format!("not a header: {line:?}"))?;
            answer.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        if answer.header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
            self.chunks(&mut answer.body)?;
        } else if status != 204 && status != 304 {
            let size = answer.header("content-length").context("an answer without a length")?;
            answer.body.resize(size.parse()?, 0);
            self.0.read_exact(&mut answer.body).context("reading a body")?;
        }
        Ok(answer)
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> Result<()> {
        loop {
            let line = self.line()?;
            let size = usize::from_str_radix(line.split(';').next().unwrap_or(""), 16)
                .with_context(|| format!("not a chunk size: {line:?}"))?;
            let start = body.len();
            body.resize(start + size, 0);
            self.0.read_exact(&mut body[start..])?;
            let end = self.line()?;
            ensure!(end.is_empty(), "no line end after a chunk, but {end:?}");
            if size == 0 {
                return Ok(());
            }
        }
    }
}
