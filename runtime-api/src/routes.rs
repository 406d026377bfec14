//! Routes of the Runtime API (lambda.md A1). Other APIs of later dates are not here and answer 404.

mod body;
mod error;
mod init_error;
mod next;
mod response;

use std::sync::Arc;

use ::http::{HeaderMap, Method, StatusCode};
use bytes::Bytes;
use hyper::Request;
use hyper::body::Incoming;

use crate::limits::HEADERS_BYTES_MAX;
use crate::render::{self, Answer};
use crate::session::Shared;

const BASE: &str = "/2018-06-01/";

/// Answers one call of the runtime.
pub(crate) async fn answer(shared: &Arc<Shared>, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    // hyper's own bound is that of its read buffer, which it may overshoot.
    if head.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>()
        > HEADERS_BYTES_MAX
    {
        return render::bare(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    let Some(path) = head.uri.path().strip_prefix(BASE) else { return elsewhere(head.uri.path()) };
    let invocation = path.strip_prefix("runtime/invocation/");
    match (path, invocation.and_then(|rest| rest.split_once('/'))) {
        ("ping", _) => {
            only(&Method::GET, &head.method, || render::json(StatusCode::OK, Bytes::from_static(b"pong")))
        }
        ("runtime/invocation/next", _) if head.method == Method::GET => next::answer(shared).await,
        ("runtime/init/error", _) if head.method == Method::POST => {
            init_error::answer(shared, &head.headers, body).await
        }
        (_, Some((id, "response"))) if head.method == Method::POST => {
            response::answer(shared, id, &head.headers, body).await
        }
        (_, Some((id, "error"))) if head.method == Method::POST => {
            error::answer(shared, id, &head.headers, body).await
        }
        ("runtime/invocation/next" | "runtime/init/error", _) | (_, Some((_, "response" | "error"))) => {
            render::bare(StatusCode::METHOD_NOT_ALLOWED)
        }
        _ => render::bare(StatusCode::NOT_FOUND),
    }
}

/// Telemetry and logs subscriptions: what AWS's own emulator answers where they are not supported, and what
/// extensions treat as local testing (lambda.md B4).
fn elsewhere(path: &str) -> Answer {
    let (api, name) = match path.trim_end_matches('/') {
        "/2022-07-01/telemetry" => ("Telemetry", "Telemetry"),
        "/2020-08-15/logs" => ("Logs", "Logs"),
        _ => return render::bare(StatusCode::NOT_FOUND),
    };
    let body = serde_json::json!({
        "errorType": format!("{api}.NotSupported"),
        "errorMessage": format!("{name} API is not supported"),
    });
    render::json(StatusCode::ACCEPTED, Bytes::from(body.to_string()))
}

fn only(wanted: &Method, method: &Method, answer: impl FnOnce() -> Answer) -> Answer {
    if method == wanted { answer() } else { render::bare(StatusCode::METHOD_NOT_ALLOWED) }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The error type a client names, normalised.
fn error_type(headers: &HeaderMap) -> String {
    crate::normalise(header(headers, "lambda-runtime-function-error-type").unwrap_or_default()).to_owned()
}

#[cfg(test)]
mod tests;
