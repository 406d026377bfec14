//! Errors with the service's texts and form.

use std::fmt;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

use crate::ErrorCode;

/// A row of the table: an error's facts.
pub(crate) struct ErrorFacts {
    pub(crate) name: &'static str,
    pub(crate) status: u16,
    pub(crate) fault: Option<&'static str>,
    pub(crate) text_member: &'static str,
}

impl ErrorCode {
    /// The name in the header `x-amzn-ErrorType`.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.facts().status).unwrap_or(StatusCode::BAD_REQUEST)
    }

    /// Who caused it, `User` or `Service`; `None` for errors outside the model.
    pub const fn fault(self) -> Option<&'static str> {
        self.facts().fault
    }

    /// The member of the body that has the text: `Message` or `message`.
    pub const fn text_member(self) -> &'static str {
        self.facts().text_member
    }
}

/// An answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code.name())]
pub struct Error {
    /// The error's code, which gives its status.
    pub code: ErrorCode,
    /// The text for the caller.
    pub message: String,
    /// `Reason` of a 429.
    pub reason: Option<&'static str>,
    /// `Retry-After` of a 429, in seconds.
    pub retry_after_seconds: Option<u32>,
}

impl Error {
    /// Makes an error of this code and text.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), reason: None, retry_after_seconds: None }
    }

    /// Makes a ValidationException. [`crate::validate()`] makes the texts for the model's constraints.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::ValidationException, message)
    }

    /// Makes an InvalidParameterValueException.
    pub fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidParameterValueException, message)
    }

    /// The error for more than [`MAX_TAGS`](crate::special::MAX_TAGS) tags, in one request or together with
    /// the stored ones.
    pub fn too_many_tags() -> Self {
        Self::invalid_parameter("Number of tags exceeds resource tag limit.")
    }

    /// Makes a TooManyRequestsException with its reason [fact:throttle-answer].
    pub fn throttled(reason: &'static str) -> Self {
        Self { reason: Some(reason), ..Self::new(ErrorCode::TooManyRequestsException, "Rate Exceeded.") }
    }

    /// Adds the header `Retry-After`.
    #[must_use]
    pub fn with_retry_after_seconds(self, seconds: u32) -> Self {
        Self { retry_after_seconds: Some(seconds), ..self }
    }

    pub(crate) fn serialization(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::SerializationException, message)
    }

    /// The prefix is the service's; the text of its own parser follows it there.
    pub(crate) fn malformed_json(detail: &dyn fmt::Display) -> Self {
        let text = format!("Could not parse request body into json: {detail}");
        Self::new(ErrorCode::InvalidRequestContentException, text)
    }

    /// Refuses an invocation's payload that is not JSON. An empty payload counts as `{}`.
    ///
    /// # Errors
    /// InvalidRequestContentException with the recorded prefix.
    pub fn check_payload(payload: &[u8]) -> Result<(), Self> {
        if payload.is_empty() {
            return Ok(());
        }
        let refuse = |fault: &dyn fmt::Display| {
            Self::malformed_json(&format_args!("Could not parse payload into json: {fault}"))
        };
        match str::from_utf8(payload) {
            Ok(text) => crate::json::check(text).map_err(|error| refuse(&error)),
            Err(error) => Err(refuse(&crate::json::not_utf8(payload, error.valid_up_to()))),
        }
    }

    /// Makes the HTTP answer: status, `x-amzn-ErrorType` and the JSON body with its members in the recorded
    /// order.
    pub fn encode(&self) -> Response<Bytes> {
        let mut body = Vec::with_capacity(self.message.len() + 64);
        let members = [
            ("Reason", self.reason),
            ("Type", self.code.fault()),
            (self.code.text_member(), Some(self.message.as_str())),
        ];
        for (name, text) in members.into_iter().filter_map(|(name, text)| Some((name, text?))) {
            body.push(if body.is_empty() { b'{' } else { b',' });
            crate::encode::string(name, &mut body);
            body.push(b':');
            crate::encode::string(text, &mut body);
        }
        body.push(b'}');
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.insert("x-amzn-errortype", HeaderValue::from_static(self.code.name()));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
