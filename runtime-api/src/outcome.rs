//! The runtime's answers.

use bytes::Bytes;
use http::HeaderValue;

/// How the runtime's start ended.
#[derive(Clone, Debug)]
pub enum Ready {
    /// The runtime asked for its first event.
    Next,
    /// The runtime posted `init/error`. This is the error to report, whatever its process does afterwards.
    InitError(InitError),
}

/// The content of a post to `init/error`.
#[derive(Clone, Debug)]
pub struct InitError {
    /// Content type of the body; `application/json` when the runtime sent none.
    pub content_type: HeaderValue,
    /// The body, unchanged; at most [`crate::limits::ERROR_BODY_MAX_BYTES`].
    pub body: Bytes,
    /// The error type for telemetry and REPORT, normalised.
    pub error_type: String,
    /// The error type as sent; `None` when it was not sent.
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
    /// `/response` named an unknown response mode (`Runtime.InvalidResponseModeHeader`). Every later call is
    /// refused and [`crate::Delivery::done`] never returns, so the environment must be reset.
    InvalidResponseMode,
    /// The body of `/response` ended early (`Runtime.TruncatedResponse`).
    Truncated,
}

/// The function's result.
#[derive(Clone, Debug)]
pub struct Response {
    /// Content type of the body; `application/json` when the runtime sent none.
    pub content_type: HeaderValue,
    /// The body, unchanged.
    pub body: Bytes,
    /// How the runtime sent it.
    pub mode: ResponseMode,
}

/// How a response was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseMode {
    /// Sent as one body.
    Buffered,
    /// Sent with `Lambda-Runtime-Function-Response-Mode: streaming`.
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
    /// The error type as sent; `None` when it was not sent.
    pub raw_error_type: Option<String>,
    /// The cause for X-Ray: a JSON object of at most [`crate::limits::XRAY_CAUSE_MAX_BYTES`].
    pub xray_cause: Option<String>,
}
