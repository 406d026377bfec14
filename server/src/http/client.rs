//! Sends one request to a server, for the command line: plain HTTP/1.1, one connection for each request.

use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest time of a call.
const CALL_MAX: Duration = Duration::from_secs(60);
/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Why a call got no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The address does not begin with `http://`.
    #[error("`{uri}` is not an address such as http://127.0.0.1:3001 (only plain http is supported)")]
    Address {
        /// The address.
        uri: Uri,
    },
    /// The connection cannot be made.
    #[error("cannot connect to {authority}; is the server running?")]
    Connect {
        /// Host and port.
        authority: String,
        /// The error of the system.
        source: io::Error,
    },
    /// The connection broke, or the answer is not HTTP.
    #[error("the server's answer broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer is longer than 64 MiB.
    #[error("the server's answer is too long")]
    TooLong,
    /// The answer was not complete within a minute.
    #[error("the server did not answer in time")]
    TimedOut,
}

/// Sends a request with an absolute address and reads the whole answer.
///
/// # Errors
/// A [`CallError`]. An answer with an error status is not one.
pub async fn call(head: Parts, body: Bytes) -> Result<Response<Bytes>, CallError> {
    timeout(CALL_MAX, exchange(head, body)).await.map_err(|_| CallError::TimedOut)?
}

async fn exchange(mut head: Parts, body: Bytes) -> Result<Response<Bytes>, CallError> {
    let (Some("http"), Some(host)) = (head.uri.scheme_str(), head.uri.host()) else {
        return Err(CallError::Address { uri: head.uri });
    };
    let port = head.uri.port_u16().unwrap_or(80);
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await;
    let stream =
        stream.map_err(|source| CallError::Connect { authority: format!("{host}:{port}"), source })?;
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| CallError::Broken(error.into()))?;

    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    head.uri = target.parse().map_err(|_| CallError::Address { uri: head.uri.clone() })?;
    let answer = async {
        let request = Request::from_parts(head, Full::new(body));
        let answer = sender.send_request(request).await.map_err(|error| CallError::Broken(error.into()))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| match error.downcast::<LengthLimitError>() {
            Ok(_) => CallError::TooLong,
            Err(error) => CallError::Broken(error),
        })?;
        Ok(Response::from_parts(head, body.to_bytes()))
    };
    let mut answer = pin!(answer);
    tokio::select! {
        answer = answer.as_mut() => answer,
        // The answer has the same error as the connection, if there is one.
        _ = connection => answer.await,
    }
}
