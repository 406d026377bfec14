//! Requests of the Security Token Service, which share the port: the same checks, other forms.

use std::sync::Arc;
use std::time::SystemTime;

use ::http::request::Parts;
use ::http::{Method, StatusCode, header};
use axum::body::Body;
use axum::response::Response;
use lambd_auth::{SignedService, names_service};

use super::{authenticate, finish_authentication, local, source};
use crate::app::App;
use crate::http::{self, BodyError, RequestId, respond};
use crate::services::sts::{self, StsCall, StsError};

/// Largest request, bytes: a policy of 2,048 characters, each encoded, and room for the rest.
const BYTES_MAX: usize = 64 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";

/// Whether a request is meant for the service: its scope says so, or it has the form of the query protocol. Lambda has no
/// operation with this path. Other methods than GET and POST are none of the protocol.
pub(super) fn is_meant(head: &Parts) -> bool {
    let is_method = matches!(head.method, Method::GET | Method::POST);
    is_method && head.uri.path() == "/" && (is_form(head) || names_service(head, SignedService::Sts))
}

fn is_form(head: &Parts) -> bool {
    let kind = head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with(FORM))
}

pub(super) async fn answer(app: &Arc<App>, head: &Parts, body: &mut Body) -> Response {
    let id = head.extensions.get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    let (status, document) = match exchange(app, head, body, &id).await {
        Ok(document) => (StatusCode::OK, document),
        Err(error) => {
            http::drain(&head.headers, body).await;
            (error.status, error.document(&id))
        }
    };
    respond(status, [("content-type", "text/xml")], document)
}

async fn exchange(app: &Arc<App>, head: &Parts, body: &mut Body, id: &str) -> Result<String, StsError> {
    http::check_length(&head.headers, BYTES_MAX).map_err(|error| unread(&error))?;
    if !app.checks_signatures {
        let checked = local::check(head, app.config.listen, &app.config.public_endpoint);
        checked.map_err(|error| StsError::denied(error.message))?;
    }
    let pending = authenticate(app, head, SignedService::Sts)?;
    let received = app.event_gate.read(body, BYTES_MAX).await.map_err(|error| unread(&error))?;
    let identity = finish_authentication(app, head, pending, &received)?;
    let form = match head.method {
        Method::POST => String::from_utf8_lossy(&received.bytes),
        _ => head.uri.query().unwrap_or_default().into(),
    };
    let call = StsCall { identity: &identity, source: source(head), form: &form, now: SystemTime::now() };
    sts::answer(app, &call, id)
}

fn unread(error: &BodyError) -> StsError {
    let (status, code, message) = match error {
        BodyError::TooLarge { .. } => {
            (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", error.to_string())
        }
        BodyError::Busy => (StatusCode::BAD_REQUEST, "Throttling", "Rate exceeded".to_owned()),
        BodyError::Stalled | BodyError::Broken(_) => {
            (StatusCode::BAD_REQUEST, "IncompleteBody", error.to_string())
        }
    };
    StsError { status, code, message }
}

#[cfg(test)]
mod tests;
