//! The request headers and trailers that the handlers read.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use crate::error_type::normalise;

pub(crate) const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
pub(crate) const ERROR_BODY: &str = "lambda-runtime-function-error-body";
pub(crate) const RESPONSE_MODE: &str = "lambda-runtime-function-response-mode";
pub(crate) const XRAY_CAUSE: &str = "lambda-runtime-function-xray-error-cause";
const INVOCATION_ID: &str = "lambda-runtime-invocation-id";

/// The content type as sent; `application/json` when it was not sent.
pub(crate) fn content_type(headers: &HeaderMap) -> HeaderValue {
    headers.get(CONTENT_TYPE).cloned().unwrap_or_else(|| HeaderValue::from_static("application/json"))
}

/// The attempt that the runtime names as the one it answers.
pub(crate) fn invocation_id(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(INVOCATION_ID).map(HeaderValue::as_bytes)
}

/// The error type, normalised and as sent. An empty value counts as absent.
pub(crate) fn error_type(headers: &HeaderMap) -> (String, Option<String>) {
    let raw = headers.get(ERROR_TYPE).map(HeaderValue::as_bytes).filter(|raw| !raw.is_empty());
    let raw = raw.map(|raw| String::from_utf8_lossy(raw).into_owned());
    (normalise(raw.as_deref().unwrap_or_default()).to_owned(), raw)
}
