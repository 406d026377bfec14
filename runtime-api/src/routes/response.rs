//! POST response.

use std::sync::Arc;

use ::http::HeaderMap;
use ::http::header::CONTENT_TYPE;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::body::Incoming;

use super::body::{self, Read};
use super::{error_type, header};
use crate::render::{self, Answer, INVOCATION_ID, Refusal};
use crate::session::{Outcome, Shared};
use crate::state::Call;

pub(super) async fn answer(shared: &Arc<Shared>, id: &str, headers: &HeaderMap, body: Incoming) -> Answer {
    let echo = headers.get(INVOCATION_ID).map(|value| value.as_bytes());
    if let Err(refusal) = shared.begin(id, echo, Call::Response) {
        return body::refuse(body, refusal).await;
    }
    let mut sending = Sending::new(shared);
    // The exact word or nothing: anything else fails the invocation at once (lambda.md A3).
    if headers.get("lambda-runtime-function-response-mode").is_some_and(|mode| mode != "streaming") {
        sending.end(Outcome::InvalidResponseMode);
        return body::refuse(body, Refusal::ResponseMode).await;
    }
    let content_type = header(headers, CONTENT_TYPE.as_str()).map(str::to_owned);
    match body::read(body).await {
        Read::Whole(body, trailers) => {
            sending.end(outcome(body, content_type, &trailers));
            render::accepted()
        }
        Read::TooLarge => {
            sending.end(Outcome::ResponseTooLarge);
            render::refused(Refusal::TooLarge)
        }
        Read::Truncated => {
            sending.end(Outcome::Truncated);
            render::refused(Refusal::Truncated)
        }
    }
}

/// A response whose trailers name an error type failed on its way (lambda.md A7). Go declares both trailers on
/// every response and sends them only then.
fn outcome(body: Bytes, content_type: Option<String>, trailers: &HeaderMap) -> Outcome {
    if header(trailers, "lambda-runtime-function-error-type").is_none() {
        return Outcome::Response { body, content_type };
    }
    let error = header(trailers, "lambda-runtime-function-error-body");
    let error = error.and_then(|text| STANDARD.decode(text).ok()).map_or(body, Bytes::from);
    Outcome::Error { body: error, content_type, error_type: error_type(trailers) }
}

/// A POST between its head and its end. When its connection breaks, hyper drops the handler: the body was
/// truncated, and the invocation must hear of it.
pub(super) struct Sending<'a> {
    shared: &'a Arc<Shared>,
    ended: bool,
}

impl<'a> Sending<'a> {
    pub(super) fn new(shared: &'a Arc<Shared>) -> Self {
        Self { shared, ended: false }
    }

    pub(super) fn end(&mut self, outcome: Outcome) {
        self.ended = true;
        self.shared.complete(outcome);
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.shared.complete(Outcome::Truncated);
        }
    }
}
