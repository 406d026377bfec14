//! `POST invocation/{id}/response`: the function returned.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use hyper::body::Incoming;

use super::headers::{self, ERROR_BODY, ERROR_TYPE, RESPONSE_MODE};
use crate::http::body::{ReadError, Whole, drain, read};
use crate::limits::RESPONSE_BODY_MAX_BYTES;
use crate::render::Reply;
use crate::session::SharedQueue;
use crate::{FunctionError, Outcome, Response, ResponseMode, render};

pub(crate) async fn response(shared: &SharedQueue, id: &str, head: &HeaderMap, body: &mut Incoming) -> Reply {
    let posting = match shared.begin_response(id, headers::invocation_id(head)) {
        Ok(posting) => posting,
        Err(refusal) => return render::refusal(&refusal),
    };
    let Some(mode) = response_mode(head) else {
        posting.refuse_mode();
        return render::invalid_response_mode();
    };
    match read(body, RESPONSE_BODY_MAX_BYTES, None).await {
        Ok(whole) => {
            posting.finish(outcome(head, whole, mode));
            render::accepted()
        }
        Err(ReadError::TooLarge { size_bytes }) => {
            // The caller gets its outcome before the rest is read and dropped.
            posting.finish(Outcome::ResponseTooLarge { size_bytes });
            drain(body).await;
            render::response_too_large()
        }
        // The one response is not paid from the budget, so `NoRoom` cannot occur.
        Err(ReadError::Truncated | ReadError::NoRoom) => {
            posting.finish(Outcome::Truncated);
            render::truncated()
        }
    }
}

/// Accepts the exact word or no header; `None` for anything else.
fn response_mode(head: &HeaderMap) -> Option<ResponseMode> {
    match head.get(RESPONSE_MODE).map(HeaderValue::as_bytes) {
        None => Some(ResponseMode::Buffered),
        Some(b"streaming") => Some(ResponseMode::Streaming),
        Some(_) => None,
    }
}

/// Trailers that name an error turn the response into a failure: no part of it was passed on yet, so the
/// error replaces the broken body. Trailers that are declared and not sent, as in every post of Go's client,
/// have no effect.
fn outcome(head: &HeaderMap, whole: Whole, mode: ResponseMode) -> Outcome {
    if whole.trailers.get(ERROR_TYPE).is_none_or(HeaderValue::is_empty) {
        return Outcome::Response(Response {
            content_type: headers::content_type(head),
            body: whole.data,
            mode,
        });
    }
    let (error_type, raw_error_type) = headers::error_type(&whole.trailers);
    Outcome::Error(FunctionError {
        content_type: HeaderValue::from_static("application/json"),
        body: error_body(&whole.trailers),
        error_type,
        raw_error_type,
        xray_cause: None,
    })
}

/// The error's JSON from its trailer: decoded if it is base64, otherwise as it is.
fn error_body(trailers: &HeaderMap) -> Bytes {
    let sent = trailers.get(ERROR_BODY).map_or(&[][..], HeaderValue::as_bytes);
    STANDARD.decode(sent).map_or_else(|_| Bytes::copy_from_slice(sent), Bytes::from)
}

#[cfg(test)]
mod tests;
