//! What every way to invoke a function shares: its event, its context, its trace, and a version that can run.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use lambd_model::{Function, FunctionState, Version};
use lambd_wire::{Error, ErrorCode};
use uuid::Uuid;

use super::features;
use super::target_function::{TargetFunction, invalid, not_found};
use crate::api::{Call, FoundFunction};
use crate::app::App;
use crate::dispatch::{Invocation, InvocationResult, InvokeError};
use crate::runtimes::identifiers;

/// Largest client context, bytes of base64 [fact:client-context-size].
const CLIENT_CONTEXT_BYTES_MAX: usize = 3583;
/// How long an invocation waits for a function that is still Pending.
const PENDING_WAIT: Duration = Duration::from_secs(10);

/// What a caller asks for, checked.
#[derive(Debug)]
pub(in crate::api) struct Asked {
    event: Bytes,
    client_context: Option<String>,
    tail: bool,
    tenant_id: Option<String>,
}

impl Asked {
    /// Checks an event and a client context.
    pub(in crate::api) fn check(
        payload: Option<Bytes>,
        context: Option<&str>,
        log_type: Option<&str>,
        tenant_id: Option<String>,
    ) -> Result<Self, Error> {
        Ok(Self {
            event: event_of(payload.unwrap_or_default())?,
            client_context: context.map(client_context).transpose()?,
            tail: log_type == Some("Tail"),
            tenant_id,
        })
    }
}

/// Runs one synchronous invocation. Returns the answer and the version that gave it.
pub(in crate::api) async fn run(
    app: &App,
    call: &Call,
    found: FoundFunction,
    asked: Asked,
) -> Result<(InvocationResult, String), Error> {
    let FoundFunction { target, function, version } = found;
    features::refuse_to_run(&version.configuration, asked.tenant_id.as_deref())?;
    let version = active(app, &function, version, &target).await?;
    let invocation = Invocation {
        request_id: call.request_id.clone(),
        event: asked.event,
        invoked_arn: target.arn(&target.place()),
        client_context: asked.client_context,
        trace_id: trace_id(call.trace_id.as_deref()),
        tail: asked.tail,
    };
    let answer =
        app.dispatcher.invoke(Arc::clone(&version), invocation).await.map_err(|error| match error {
            InvokeError::Gone => {
                not_found(&target.place().qualified_arn(&target.id.name, Some(&version.qualifier)))
            }
            other => refused(&other, &version),
        })?;
    Ok((answer, version.qualifier.clone()))
}

/// Checks the payload, which must be JSON; an empty one becomes `{}` [fact:event-is-json].
fn event_of(payload: Bytes) -> Result<Bytes, Error> {
    Error::check_payload(&payload)?;
    Ok(if payload.is_empty() { Bytes::from_static(b"{}") } else { payload })
}

fn client_context(text: &str) -> Result<String, Error> {
    if text.len() > CLIENT_CONTEXT_BYTES_MAX {
        return Err(invalid(format!(
            "ClientContext must be at most {CLIENT_CONTEXT_BYTES_MAX} bytes of base64."
        )));
    }
    STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
        .ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidRequestContentException,
                "Client context must be a valid Base64-encoded JSON object.",
            )
        })
}

/// Waits until a function that is being created is Active, which takes milliseconds.
async fn active(
    app: &App,
    function: &Arc<Function>,
    version: Arc<Version>,
    target: &TargetFunction,
) -> Result<Arc<Version>, Error> {
    if function.state == FunctionState::Active {
        return Ok(version);
    }
    match tokio::time::timeout(PENDING_WAIT, app.registry.wait_active(&function.id)).await {
        Ok(_) => target.find_to_run(app, &target.place()).map(|(_, version)| version),
        Err(_) => Err(Error::new(
            ErrorCode::ResourceConflictException,
            "The operation cannot be performed at this time. The function is currently in the following state: \
             Pending",
        )),
    }
}

/// The caller's trace, or a new one that is not sampled [fact:trace-header].
fn trace_id(given: Option<&str>) -> String {
    match given {
        Some(given) if given.contains("Root=") => given.to_owned(),
        _ => {
            let seconds = lambd_model::clock::now_ms() / 1000;
            let [root, parent] = [(); 2].map(|()| Uuid::new_v4().simple().to_string());
            format!("Root=1-{seconds:08x}-{};Parent={};Sampled=0", &root[..24], &parent[..16])
        }
    }
}

fn refused(error: &InvokeError, version: &Version) -> Error {
    let runtime = &version.configuration.runtime;
    match error {
        InvokeError::Refused(throttle) => Error::throttled(throttle.reason()),
        InvokeError::NoRuntime(_) => {
            Error::new(ErrorCode::InvalidRuntimeException, identifiers::not_installed_message(runtime))
        }
        other => {
            let (function, qualifier) = (&version.function.name, &version.qualifier);
            tracing::error!(function, qualifier, error = other as &dyn std::error::Error, "cannot invoke");
            crate::api::service_error("The function could not be run; see the server's log.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_payload_is_an_empty_object() {
        assert_eq!(event_of(Bytes::new()).unwrap(), "{}");
        assert_eq!(event_of(Bytes::from_static(b" 1")).unwrap(), " 1");
        assert!(event_of(Bytes::from_static(b"{'a': 1}")).is_err());
    }

    #[test]
    fn a_trace_is_kept_or_made() {
        assert_eq!(trace_id(Some("Root=1-a-b;Sampled=1")), "Root=1-a-b;Sampled=1");
        let made = trace_id(None);
        assert!(made.starts_with("Root=1-") && made.ends_with(";Sampled=0"), "{made}");
    }
}
