//! The Security Token Service, as far as clients of Lambda need it: who am I, and temporary keys [fact:sts-protocol].
//!
//! Invariants: nothing is stored, a session is its token; nobody gets rights in another account, and no session
//! lives longer than its caller may ask for.

mod assume_role;
mod get_caller_identity;
mod get_session_token;
mod parameters;
mod session;
mod xml;

use std::net::IpAddr;
use std::time::SystemTime;

use ::http::StatusCode;
use lambd_auth::{AuthError, AuthErrorCode, Identity};

use crate::app::App;
use parameters::Parameters;
use xml::Element;

/// The version of the protocol that every request names.
const VERSION: &str = "2011-06-15";

/// A request whose caller is known.
#[derive(Debug)]
pub struct StsCall<'a> {
    /// The caller.
    pub identity: &'a Identity,
    /// The address from which the request comes, if that is known.
    pub source: Option<IpAddr>,
    /// The parameters, in the form of an HTML form.
    pub form: &'a str,
    /// The time of the request.
    pub now: SystemTime,
}

/// A refusal with AWS's code and text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct StsError {
    /// The status of the answer.
    pub status: StatusCode,
    /// The code in the body.
    pub code: &'static str,
    /// The text for the caller.
    pub message: String,
}

impl StsError {
    fn invalid(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "ValidationError", message: message.into() }
    }

    /// 403 `AccessDenied`.
    pub fn denied(message: impl Into<String>) -> Self {
        Self { status: StatusCode::FORBIDDEN, code: "AccessDenied", message: message.into() }
    }

    /// The body of the answer.
    pub fn document(&self, request_id: &str) -> String {
        xml::error(self.code, &self.message, request_id)
    }
}

/// The codes of the service for what is wrong with a signature differ from Lambda's [fact:sts-protocol].
impl From<AuthError> for StsError {
    fn from(error: AuthError) -> Self {
        let (status, code) = match error.code {
            AuthErrorCode::MissingAuthenticationToken => {
                (StatusCode::FORBIDDEN, "MissingAuthenticationToken")
            }
            AuthErrorCode::IncompleteSignature => (StatusCode::BAD_REQUEST, "IncompleteSignature"),
            AuthErrorCode::InvalidSignature => (StatusCode::FORBIDDEN, "SignatureDoesNotMatch"),
            AuthErrorCode::UnrecognizedClient => (StatusCode::FORBIDDEN, "InvalidClientTokenId"),
            AuthErrorCode::ExpiredToken => (StatusCode::FORBIDDEN, "ExpiredToken"),
        };
        Self { status, code, message: error.message.into_owned() }
    }
}

/// Answers a request: the body of the answer, XML.
///
/// # Errors
/// [`StsError`].
pub fn answer(app: &App, call: &StsCall<'_>, request_id: &str) -> Result<String, StsError> {
    let parameters = Parameters::parse(call.form);
    let action = parameters.get("Action").unwrap_or_default();
    let version = parameters.get("Version").unwrap_or_default();
    let result: Vec<Element> = match action {
        _ if version != VERSION => return Err(unknown(action, version)),
        "GetCallerIdentity" => get_caller_identity::handle(call),
        "AssumeRole" => assume_role::handle(app, call, &parameters)?,
        "GetSessionToken" => get_session_token::handle(app, call, &parameters)?,
        _ => return Err(unknown(action, version)),
    };
    Ok(xml::response(action, &result, request_id))
}

fn unknown(action: &str, version: &str) -> StsError {
    StsError {
        status: StatusCode::BAD_REQUEST,
        code: "InvalidAction",
        message: format!("Could not find operation {action} for version {version}"),
    }
}
