//! POST error.

use std::sync::Arc;

use ::http::HeaderMap;
use ::http::header::CONTENT_TYPE;
use bytes::Bytes;
use hyper::body::Incoming;
use serde_json::{Map, Value};

use super::body::{self, Read};
use super::response::Sending;
use super::{error_type, header};
use crate::render::{self, Answer, INVOCATION_ID, Refusal};
use crate::session::{Outcome, Shared};
use crate::state::Call;

/// A body that carries more than the caller is to see.
const WITH_CAUSE: &str = "application/vnd.aws.lambda.error.cause+json";

pub(super) async fn answer(shared: &Arc<Shared>, id: &str, headers: &HeaderMap, body: Incoming) -> Answer {
    let echo = headers.get(INVOCATION_ID).map(|value| value.as_bytes());
    if let Err(refusal) = shared.begin(id, echo, Call::Error) {
        return body::refuse(body, refusal).await;
    }
    let mut sending = Sending::new(shared);
    let content_type = header(headers, CONTENT_TYPE.as_str()).map(str::to_owned);
    match body::read(body).await {
        Read::Whole(body, _) => {
            let body = if content_type.as_deref() == Some(WITH_CAUSE) { without_cause(&body) } else { body };
            sending.end(Outcome::Error { body, content_type, error_type: error_type(headers) });
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

/// Only message, type and stack trace are passed to the caller (lambda.md A3).
fn without_cause(body: &Bytes) -> Bytes {
    let Ok(Value::Object(all)) = serde_json::from_slice(body) else {
        return Bytes::from_static(b"Invalid error body");
    };
    let shown = ["errorMessage", "errorType", "stackTrace"];
    let shown: Map<String, Value> =
        all.into_iter().filter(|(name, _)| shown.contains(&name.as_str())).collect();
    Bytes::from(Value::Object(shown).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_cut_off() {
        let body = Bytes::from_static(
            br#"{"errorMessage":"m","errorType":"T","stackTrace":[],"errorCause":{"x":1}}"#,
        );
        assert_eq!(without_cause(&body), r#"{"errorMessage":"m","errorType":"T","stackTrace":[]}"#);
        assert_eq!(without_cause(&Bytes::from_static(b"[")), "Invalid error body");
    }
}
