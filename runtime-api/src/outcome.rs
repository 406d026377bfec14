//! What the runtime answered.

use bytes::Bytes;
use http::HeaderValue;

/// How the runtime's start ended.
#[derive(Clone, Debug)]
pub enum Ready {
    /// It asked for its first event.
    Next,
    /// It posted `init/error`. Whatever its process does afterwards, this is the error to report.
    InitError(InitError),
}

/// What the runtime posted to `init/error`.
#[derive(Clone, Debug)]
pub struct InitError {
    /// Content type of the body; `application/json` when it sent none.
    pub content_type: HeaderValue,
    /// The body, untouched; at most [`crate::limits::ERROR_BODY_MAX_BYTES`].
    pub body: Bytes,
    /// The error type for telemetry and REPORT, normalised.
    pub error_type: String,
    /// The error type as sent, if it was.
    pub raw_error_type: Option<String>,
}

/// How the runtime ended one invocation.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The function returned.
    Response(Response),
    /// The function failed: `/error`, or a `/response` whose trailers report a failure.
    Error(FunctionError),
    /// `/response` is larger than [`crate::limits::RESPONSE_BODY_MAX_BYTES`].
    ResponseTooLarge {
        /// The declared size, or how many bytes had arrived when the limit was passed.
        size_bytes: u64,
    },
    /// `/response` named an unknown response mode (`Runtime.InvalidResponseModeHeader`). Every further
    /// call is refused, [`crate::Delivery::done`] does not come: the environment must be reset.
    InvalidResponseMode,
    /// The body of `/response` broke off (`Runtime.TruncatedResponse`).
    Truncated,
}

/// The function's result.
#[derive(Clone, Debug)]
pub struct Response {
    /// Content type of the body; `application/json` when the runtime sent none.
    pub content_type: HeaderValue,
    /// The body, untouched.
    pub body: Bytes,
    /// How the runtime sent it.
    pub mode: ResponseMode,
}

/// How a response was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseMode {
    /// As one body.
    Buffered,
    /// With `Lambda-Runtime-Function-Response-Mode: streaming`.
    Streaming,
}

/// The function's failure.
#[derive(Clone, Debug)]
pub struct FunctionError {
    /// Content type of the body; `application/json` when the runtime sent none.
    pub content_type: HeaderValue,
    /// The payload for the caller.
    pub body: Bytes,
    /// The error type for telemetry and REPORT, normalised.
    pub error_type: String,
    /// The error type as sent, if it was.
    pub raw_error_type: Option<String>,
    /// The cause for X-Ray: a JSON object of at most [`crate::limits::XRAY_CAUSE_MAX_BYTES`].
    pub xray_cause: Option<String>,
}
