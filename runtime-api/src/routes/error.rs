//! `POST invocation/{id}/error`: the function failed.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use hyper::body::Incoming;
use serde_json::Value;

use super::headers::{self, XRAY_CAUSE};
use crate::http::body::{ReadError, read};
use crate::http::metered::Held;
use crate::limits::{ERROR_BODY_MAX_BYTES, XRAY_CAUSE_MAX_BYTES};
use crate::render::Reply;
use crate::session::SharedQueue;
use crate::{FunctionError, Outcome, render};

/// Content type of a body that has the X-Ray cause in addition to the caller's error.
const WITH_CAUSE: &str = "application/vnd.aws.lambda.error.cause+json";

pub(crate) async fn error(shared: &SharedQueue, id: &str, head: &HeaderMap, body: &mut Incoming) -> Reply {
    let invocation_id = headers::invocation_id(head);
    if let Err(refusal) = shared.check_error(id, invocation_id) {
        return render::refusal(&refusal);
    }
    let held = Held::nothing(Arc::clone(shared.budget()));
    let data = match read(body, ERROR_BODY_MAX_BYTES, Some(held)).await {
        Ok(whole) => whole.data,
        Err(ReadError::TooLarge { .. } | ReadError::NoRoom) => {
            return render::too_large(ERROR_BODY_MAX_BYTES);
        }
        Err(ReadError::Truncated) => return render::truncated(),
    };
    let posted = shared.post_error(id, invocation_id, Outcome::Error(function_error(head, data)));
    posted.map_or_else(|refusal| render::refusal(&refusal), |()| render::accepted())
}

fn function_error(head: &HeaderMap, data: Bytes) -> FunctionError {
    let (error_type, raw_error_type) = headers::error_type(head);
    let content_type = headers::content_type(head);
    let mut cause = head.get(XRAY_CAUSE).and_then(|cause| cause.to_str().ok()).map(str::to_owned);
    let body = if content_type == WITH_CAUSE {
        let (body, inner) = split_cause(&data);
        cause = inner.or(cause);
        body
    } else {
        data
    };
    let content_type =
        if content_type == WITH_CAUSE { HeaderValue::from_static("application/json") } else { content_type };
    FunctionError { content_type, body, error_type, raw_error_type, xray_cause: cause.filter(|c| is_kept(c)) }
}

/// Splits a body that has both into the caller's part and the cause.
fn split_cause(data: &[u8]) -> (Bytes, Option<String>) {
    let Ok(Value::Object(mut members)) = serde_json::from_slice(data) else {
        return (Bytes::from_static(b"Invalid error body"), None);
    };
    let cause = members.remove("errorCause").map(|cause| cause.to_string());
    members.retain(|name, _| matches!(name.as_str(), "errorMessage" | "errorType" | "stackTrace"));
    (Bytes::from(Value::Object(members).to_string()), cause)
}

/// Whether the cause is a JSON object within the limit.
fn is_kept(cause: &str) -> bool {
    cause.len() <= XRAY_CAUSE_MAX_BYTES && matches!(serde_json::from_str(cause), Ok(Value::Object(_)))
}

#[cfg(test)]
mod tests;
