//! The gateway: handles one HTTP request from its head to its answer.
//!
//! The order is AWS's [fact:check-order]: first the limit of the body, so that an unauthenticated caller
//! cannot make the server read more than the operation allows; then the head of the signature; the body; the
//! signature itself, before the body if the client declared its hash; then errors of routing, validation and
//! the operation.

mod download;
mod local;
mod logs;
mod sts;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use ::http::request::Parts;
use ::http::{HeaderMap, header};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use lambd_auth::{AuthError, AuthErrorCode, Identity, PendingVerification, SignedService, unchecked_region};
use lambd_model::Place;
use lambd_wire::{Error, ErrorCode, Operation};

use crate::api::{self, Call, INVOKE_BYTES_MAX};
use crate::app::{App, CODE_PATH};
use crate::http::{self, BodyError, Caller, ReceivedBody, RequestId};

/// Largest CreateFunction request, bytes [fact:deploy-request-size].
const DEPLOY_BYTES_MAX: usize = 70_167_211;
/// Largest other request, bytes; the largest that is needed is a resource policy of 20 KB.
const CONTROL_BYTES_MAX: usize = 1024 * 1024;
/// Path of the server's own requests for logs, beside the API's paths.
pub(crate) const LOGS_PATH: &str = "/_lambd/logs/";

/// The router has one handler for everything, because the API's own table routes.
pub fn router(app: Arc<App>) -> axum::Router {
    axum::Router::new().fallback(answer).with_state(app)
}

async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    let (head, mut body) = request.into_parts();
    if sts::is_meant(&head) {
        return sts::answer(&app, &head, &mut body).await;
    }
    match respond(&app, &head, &mut body).await {
        Ok(response) => response,
        Err(error) => {
            http::drain(&head.headers, &mut body).await;
            into_http(error.encode())
        }
    }
}

async fn respond(app: &Arc<App>, head: &Parts, body: &mut Body) -> Result<Response, Error> {
    let path = head.uri.path();
    let target = head.uri.path_and_query().map_or(path, |target| target.as_str());
    let route = lambd_wire::route(&head.method, target);
    let operation = route.as_ref().ok().map(|route| route.operation);
    let limit = body_limit(operation);
    let too_large = |error: BodyError| body_error(&error, operation, limit);
    http::check_length(&head.headers, limit).map_err(too_large)?;
    if !app.checks_signatures {
        local::check(head, app.config.listen, &app.config.public_endpoint)?;
    }
    let pending = authenticate(app, head, SignedService::Lambda).map_err(denied)?;
    let gate = if limit == DEPLOY_BYTES_MAX { &app.package_gate } else { &app.event_gate };
    let received = gate.read(body, limit).await.map_err(too_large)?;
    let identity = finish_authentication(app, head, pending, &received).map_err(denied)?;
    if let Some(sha256) = path.strip_prefix(CODE_PATH) {
        return download::answer(app, &identity, &head.method, sha256).await;
    }
    if let Some(function) = path.strip_prefix(LOGS_PATH) {
        return logs::answer(app, &identity, source(head), &head.method, function, head.uri.query()).await;
    }
    let route = route?;
    let call = Call {
        source: source(head),
        place: place_of(&identity),
        identity,
        request_id: head.extensions.get::<RequestId>().map(ToString::to_string).unwrap_or_default(),
        trace_id: text(&head.headers, "x-amzn-trace-id"),
        endpoint: endpoint(head),
        body: received.bytes.clone(),
    };
    let request = lambd_wire::Request {
        labels: &route.labels,
        query: head.uri.query().unwrap_or_default(),
        headers: &head.headers,
        body: &received.bytes,
    };
    api::handle(app, &call, route.operation, &request).await.map(into_http)
}

fn body_limit(operation: Option<Operation>) -> usize {
    match operation {
        Some(Operation::Invoke | Operation::InvokeWithResponseStream) => INVOKE_BYTES_MAX,
        Some(Operation::CreateFunction | Operation::UpdateFunctionCode | Operation::PublishLayerVersion) => {
            DEPLOY_BYTES_MAX
        }
        _ => CONTROL_BYTES_MAX,
    }
}

/// First step of authentication; `None` if signatures are not checked.
fn authenticate(
    app: &App,
    head: &Parts,
    service: SignedService,
) -> Result<Option<PendingVerification>, AuthError> {
    if !app.checks_signatures {
        set_known(head);
        return Ok(None);
    }
    let pending = app.verifier.check(head, service, SystemTime::now())?;
    if pending.is_signed() {
        set_known(head);
    }
    Ok(Some(pending))
}

/// Marks the caller of this connection as authenticated.
fn set_known(head: &Parts) {
    head.extensions.get::<Caller>().into_iter().for_each(Caller::set_known);
}

/// Second step, with the body: returns caller and region. Without signatures everybody acts for the server's
/// own account.
fn finish_authentication(
    app: &App,
    head: &Parts,
    pending: Option<PendingVerification>,
    body: &ReceivedBody,
) -> Result<Identity, AuthError> {
    let Some(pending) = pending else {
        let region = unchecked_region(head).unwrap_or_else(|| app.config.region.as_str().into());
        return Ok(Identity {
            access_key_id: "".into(),
            account: Arc::clone(&app.own_user.account),
            region,
            principal: Arc::clone(&app.own_user),
        });
    };
    let identity = app.verifier.finish(pending, &body.sha256)?;
    set_known(head);
    Ok(identity)
}

/// The address from which the request comes. Behind a proxy that is the proxy's.
fn source(head: &Parts) -> Option<IpAddr> {
    head.extensions.get::<Caller>().map(|caller| caller.address)
}

fn place_of(identity: &Identity) -> Place {
    Place { region: Arc::clone(&identity.region), account: Arc::clone(&identity.account) }
}

fn denied(error: AuthError) -> Error {
    let code = match error.code {
        AuthErrorCode::MissingAuthenticationToken => ErrorCode::MissingAuthenticationTokenException,
        AuthErrorCode::IncompleteSignature => ErrorCode::IncompleteSignatureException,
        AuthErrorCode::InvalidSignature => ErrorCode::InvalidSignatureException,
        AuthErrorCode::UnrecognizedClient => ErrorCode::UnrecognizedClientException,
        AuthErrorCode::ExpiredToken => ErrorCode::ExpiredTokenException,
    };
    Error::new(code, error.message)
}

fn body_error(error: &BodyError, operation: Option<Operation>, limit: usize) -> Error {
    let invoke = matches!(operation, Some(Operation::Invoke | Operation::InvokeWithResponseStream));
    match error {
        BodyError::TooLarge { bytes, .. } if invoke => {
            let size = bytes.map_or_else(|| format!("more than {limit}"), |bytes| bytes.to_string());
            Error::new(
                ErrorCode::RequestTooLargeException,
                format!(
                    "{size} byte payload is too large for the RequestResponse invocation type \
                     (limit {limit} bytes)"
                ),
            )
        }
        BodyError::TooLarge { .. } => {
            let name = operation.map_or("requested", Operation::name);
            let text = format!("Request must be smaller than {limit} bytes for the {name} operation");
            Error::new(ErrorCode::RequestEntityTooLargeException, text)
        }
        // The caller may try again; AWS answers this to too many requests.
        BodyError::Busy => Error::throttled("CallerRateLimitExceeded"),
        BodyError::Stalled | BodyError::Broken(_) => {
            Error::new(ErrorCode::InvalidRequestContentException, format!("Could not read the body: {error}"))
        }
    }
}

/// Scheme and authority that the client used; behind a proxy with TLS `public_endpoint` replaces it.
fn endpoint(head: &Parts) -> String {
    let host = text(&head.headers, header::HOST.as_str());
    let host = host.or_else(|| head.uri.authority().map(ToString::to_string));
    format!("http://{}", host.unwrap_or_default())
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn into_http(answer: ::http::Response<Bytes>) -> Response {
    answer.map(Body::from)
}
