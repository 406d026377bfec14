//! The event of one invocation, as the server delivers it.

use std::fmt;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue};

/// An event and its headers for `GET invocation/next`. An empty text means "absent": its header is left out,
/// never sent empty.
#[derive(Clone, Default)]
pub struct Event {
    /// Request id; the same for every retry of one asynchronous invocation.
    pub request_id: String,
    /// Time at which the invocation times out, in milliseconds since the epoch.
    pub deadline_ms: u64,
    /// The function's ARN as the caller named it, with its qualifier.
    pub invoked_function_arn: String,
    /// Value of `X-Amzn-Trace-Id`.
    pub trace_id: String,
    /// Client context as JSON text, decoded from the caller's base64.
    pub client_context: String,
    /// Cognito identity as JSON text.
    pub cognito_identity: String,
    /// Tenant id, for functions with tenant isolation.
    pub tenant: String,
    /// Id of this attempt; the runtime may send it back. Unlike the request id it is never reused.
    pub invocation_id: String,
    /// Content type of the payload; `application/json` when empty.
    pub content_type: String,
    /// The payload, passed on unchanged.
    pub body: Bytes,
}

impl Event {
    /// Makes the headers of `GET invocation/next`.
    pub(crate) fn headers(&self) -> HeaderMap {
        const REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
        const DEADLINE: HeaderName = HeaderName::from_static("lambda-runtime-deadline-ms");
        const ARN: HeaderName = HeaderName::from_static("lambda-runtime-invoked-function-arn");
        const TRACE_ID: HeaderName = HeaderName::from_static("lambda-runtime-trace-id");
        const CLIENT_CONTEXT: HeaderName = HeaderName::from_static("lambda-runtime-client-context");
        const COGNITO_IDENTITY: HeaderName = HeaderName::from_static("lambda-runtime-cognito-identity");
        const TENANT: HeaderName = HeaderName::from_static("lambda-runtime-aws-tenant-id");
        const INVOCATION_ID: HeaderName = HeaderName::from_static("lambda-runtime-invocation-id");

        let mut headers = HeaderMap::with_capacity(12);
        headers.insert(DEADLINE, HeaderValue::from(self.deadline_ms));
        let content_type = if self.content_type.is_empty() { "application/json" } else { &self.content_type };
        for (name, text) in [
            (REQUEST_ID, self.request_id.as_str()),
            (ARN, &self.invoked_function_arn),
            (TRACE_ID, &self.trace_id),
            (CLIENT_CONTEXT, &self.client_context),
            (COGNITO_IDENTITY, &self.cognito_identity),
            (TENANT, &self.tenant),
            (INVOCATION_ID, &self.invocation_id),
            (CONTENT_TYPE, content_type),
        ] {
            if let Some(value) = header_value(text) {
                headers.insert(name, value);
            }
        }
        headers
    }
}

/// Converts `text` to a header value; `None` when it is empty. Control characters become spaces: decoded JSON
/// may have several lines, and a line break in a header would split the response.
fn header_value(text: &str) -> Option<HeaderValue> {
    if text.is_empty() {
        return None;
    }
    HeaderValue::from_str(text).ok().or_else(|| {
        let spaced: Vec<u8> = text.bytes().map(|b| if b.is_ascii_control() { b' ' } else { b }).collect();
        HeaderValue::from_bytes(&spaced).ok()
    })
}

impl fmt::Debug for Event {
    /// Leaves out payload and contexts, which belong to the caller and must not be logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("request_id", &self.request_id)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_text_has_no_header() {
        let headers = Event { request_id: "r".into(), deadline_ms: 7, ..Event::default() }.headers();
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-type", "lambda-runtime-aws-request-id", "lambda-runtime-deadline-ms"]);
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["lambda-runtime-deadline-ms"], "7");
    }

    #[test]
    fn values_cannot_split_the_response() {
        for (text, value) in [
            ("{\"a\":\r\n\t1}", "{\"a\":   1}".as_bytes()),
            ("é\n", b"\xc3\xa9 "),
            ("a\0b\x7f", b"a b "),
            ("plain", b"plain"),
        ] {
            assert_eq!(header_value(text).unwrap().as_bytes(), value, "{text:?}");
        }
        assert!(header_value("").is_none());
    }
}
