//! Answers of the Runtime API: statuses, headers and bodies of lambda.md A2 and A4.

use ::http::header::{CONTENT_TYPE, HeaderName};
use ::http::{HeaderValue, Response, StatusCode};
use bytes::Bytes;
use http_body_util::Full;

use crate::session::Event;
use crate::state::NotAllowed;

pub(crate) type Answer = Response<Full<Bytes>>;

/// 202, what every accepted POST gets: clients of Go and Java take nothing else.
pub(crate) fn accepted() -> Answer {
    json(StatusCode::ACCEPTED, Bytes::from_static(br#"{"status":"OK"}"#))
}

/// A refusal: AWS's error type and message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    RequestId,
    InvocationId,
    ResponseMode,
    Truncated,
    TooLarge,
    State(NotAllowed),
}

impl From<NotAllowed> for Refusal {
    fn from(refused: NotAllowed) -> Self {
        Self::State(refused)
    }
}

pub(crate) fn refused(refusal: Refusal) -> Answer {
    let (status, kind, message) = match refusal {
        Refusal::RequestId => (400, "InvalidRequestID", "Invalid request ID".to_owned()),
        Refusal::InvocationId => (400, "InvalidInvocationId", "Invalid invocation ID".to_owned()),
        Refusal::ResponseMode => {
            (400, "InvalidFunctionResponseMode", "Invalid function response mode".to_owned())
        }
        Refusal::Truncated => (400, "TruncatedHTTPRequest", "HTTP request detected as truncated".to_owned()),
        Refusal::TooLarge => (
            413,
            "RequestEntityTooLarge",
            "Exceeded maximum allowed payload size (6291556 bytes).".to_owned(),
        ),
        Refusal::State(refused) => (403, "InvalidStateTransition", refused.to_string()),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::json!({ "errorMessage": message, "errorType": kind });
    json(status, Bytes::from(body.to_string()))
}

/// An answer without a body.
pub(crate) fn bare(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

pub(crate) fn json(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

const REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
const DEADLINE: HeaderName = HeaderName::from_static("lambda-runtime-deadline-ms");
const ARN: HeaderName = HeaderName::from_static("lambda-runtime-invoked-function-arn");
const TRACE_ID: HeaderName = HeaderName::from_static("lambda-runtime-trace-id");
const CLIENT_CONTEXT: HeaderName = HeaderName::from_static("lambda-runtime-client-context");
const COGNITO: HeaderName = HeaderName::from_static("lambda-runtime-cognito-identity");
const TENANT: HeaderName = HeaderName::from_static("lambda-runtime-aws-tenant-id");
/// Echoed by newer clients on response and error.
pub(crate) const INVOCATION_ID: HeaderName = HeaderName::from_static("lambda-runtime-invocation-id");

/// An event with its headers; what is empty is left out, as AWS does.
pub(crate) fn event(event: &Event) -> Answer {
    let mut answer = json(StatusCode::OK, event.body.clone());
    let headers = answer.headers_mut();
    let optional = |value: &Option<String>| value.as_deref().filter(|v| !v.is_empty()).and_then(raw);
    let pairs = [
        (REQUEST_ID, raw(&event.request_id)),
        (DEADLINE, Some(HeaderValue::from(event.deadline_ms))),
        (ARN, raw(&event.invoked_function_arn)),
        (TRACE_ID, optional(&event.trace_id)),
        (CLIENT_CONTEXT, optional(&event.client_context)),
        (COGNITO, optional(&event.cognito_identity)),
        (TENANT, optional(&event.tenant_id)),
        (INVOCATION_ID, optional(&event.invocation_id)),
        (CONTENT_TYPE, optional(&event.content_type)),
    ];
    for (name, value) in pairs {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    answer
}

/// Header values are bytes: a client context may hold any text but control characters.
fn raw(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(text.as_bytes()).ok()
}
