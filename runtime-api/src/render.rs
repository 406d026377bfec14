//! The bodies and headers of all answers except events.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::Value;

use crate::http::reply::ReplyBody;
use crate::limits::RESPONSE_BODY_MAX_BYTES;
use crate::session::{Handover, Refusal};

/// A response of the Runtime API. An event's body counts as written when the connection takes it; if it is
/// dropped before, the event returns to the queue.
pub(crate) type Reply = http::Response<ReplyBody<Handover>>;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// 202 `{"status":"OK"}`, the answer to every accepted post. Clients accept no other status.
pub(crate) fn accepted() -> Reply {
    json(StatusCode::ACCEPTED, r#"{"status":"OK"}"#)
}

/// A status with an empty body.
pub(crate) fn empty(status: StatusCode) -> Reply {
    reply(status, ReplyBody::default())
}

/// 200 with plain text.
pub(crate) fn text(text: &'static str) -> Reply {
    let mut reply = reply(StatusCode::OK, ReplyBody::new(text));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    reply
}

/// An error in the Runtime API's form, `errorMessage` first.
pub(crate) fn error(status: StatusCode, error_type: &str, message: &str) -> Reply {
    let (message, error_type) = (Value::from(message), Value::from(error_type));
    json(status, format!(r#"{{"errorMessage":{message},"errorType":{error_type}}}"#))
}

/// 202 with an error, for an API that this environment does not have. Extensions take it as "run locally" and
/// continue without the API.
pub(crate) fn not_supported(error_type: &str, message: &str) -> Reply {
    json(StatusCode::ACCEPTED, format!(r#"{{"errorType":"{error_type}","errorMessage":"{message}"}}"#))
}

pub(crate) fn refusal(refusal: &Refusal) -> Reply {
    match refusal {
        Refusal::InvalidRequestId => error(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
        Refusal::InvalidInvocationId => {
            error(StatusCode::BAD_REQUEST, "InvalidInvocationId", "Invalid invocation ID")
        }
        Refusal::Forbidden(forbidden) => {
            error(StatusCode::FORBIDDEN, "InvalidStateTransition", &forbidden.to_string())
        }
    }
}

pub(crate) fn truncated() -> Reply {
    error(StatusCode::BAD_REQUEST, "TruncatedHTTPRequest", "HTTP request detected as truncated")
}

pub(crate) fn invalid_response_mode() -> Reply {
    error(StatusCode::BAD_REQUEST, "InvalidFunctionResponseMode", "Invalid function response mode")
}

/// 413; its text names the limit.
pub(crate) fn too_large(max_bytes: usize) -> Reply {
    let message = format!("Exceeded maximum allowed payload size ({max_bytes} bytes).");
    error(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message)
}

pub(crate) fn response_too_large() -> Reply {
    too_large(RESPONSE_BODY_MAX_BYTES)
}

fn json(status: StatusCode, body: impl Into<bytes::Bytes>) -> Reply {
    let mut reply = reply(status, ReplyBody::new(body));
    reply.headers_mut().insert(CONTENT_TYPE, JSON);
    reply
}

fn reply(status: StatusCode, body: ReplyBody<Handover>) -> Reply {
    let mut reply = Reply::new(body);
    *reply.status_mut() = status;
    reply
}
