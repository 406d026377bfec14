//! What all answers have in common: the request id and the line in the log.

use std::fmt;
use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, StatusCode};
use uuid::Uuid;

/// The header with the request id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// The id of a request: an extension of the request, and a header of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(pub Uuid);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// Makes an answer of these parts. Omits values that a header cannot have: they may come from a function,
/// which must not be able to break the answer or to add a header.
pub fn respond<'a>(
    status: StatusCode,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    body: impl Into<Bytes>,
) -> Response {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = status;
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// The part of a request that is kept until it is answered.
#[derive(Debug)]
pub(super) struct Exchange {
    id: RequestId,
    line: Option<(String, Instant)>,
}

impl Exchange {
    /// Gives the request its id. The target is kept only if it will be logged, and without its query, which
    /// may contain a presigned signature.
    pub(super) fn begin<B>(request: &mut Request<B>) -> Self {
        let id = RequestId(Uuid::new_v4());
        request.extensions_mut().insert(id);
        let line = tracing::enabled!(tracing::Level::DEBUG)
            .then(|| (format!("{} {}", request.method(), request.uri().path()), Instant::now()));
        Self { id, line }
    }

    /// Adds the id to the answer unless it has one, and logs the request.
    pub(super) fn end<B>(self, response: &mut http::Response<B>) {
        let mut text = Uuid::encode_buffer();
        let text = self.id.0.hyphenated().encode_lower(&mut text);
        if let Ok(value) = HeaderValue::from_str(text) {
            response.headers_mut().entry(REQUEST_ID).or_insert(value);
        }
        if let Some((line, start)) = self.line {
            let (status, elapsed_us) = (response.status().as_u16(), start.elapsed().as_micros());
            tracing::debug!(request_id = %self.id, status, elapsed_us, "{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_add_a_header() {
        let headers = [("x-good", "1"), ("x-bad", "1\r\nx-evil: 2"), ("x bad", "1"), ("x-good", "2")];
        let response = respond(StatusCode::OK, headers, "");
        assert_eq!(response.headers().len(), 2);
        assert_eq!(response.headers().get_all("x-good").iter().count(), 2);
    }

    #[test]
    fn an_id_that_the_handler_set_is_kept() {
        let mut request = Request::new(());
        let exchange = Exchange::begin(&mut request);
        let id = *request.extensions().get::<RequestId>().unwrap();
        let mut response = http::Response::new(());
        exchange.end(&mut response);
        assert_eq!(response.headers()["x-amzn-requestid"], id.to_string());
        Exchange::begin(&mut request).end(&mut response);
        assert_eq!(response.headers()["x-amzn-requestid"], id.to_string());
    }
}
