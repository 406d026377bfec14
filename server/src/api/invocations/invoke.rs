//! Invoke: supports RequestResponse and DryRun.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use lambd_model::{Function, FunctionState, Version};
use lambd_wire::{Error, ErrorCode, input, output};
use uuid::Uuid;

use crate::api::rules::target_function::{TargetFunction, invalid, not_found};
use crate::api::rules::{features, settings};
use crate::api::{Call, FoundFunction};
use crate::app::App;
use crate::dispatch::{Invocation, InvocationResult, InvokeError};
use crate::runtimes::identifiers;

/// Largest event of a synchronous invocation, bytes [fact:event-size].
pub const REQUEST_BYTES_MAX: usize = 6_291_456;
/// Largest client context, bytes of base64 [fact:client-context-size].
const CLIENT_CONTEXT_BYTES_MAX: usize = 3583;
/// How long an invocation waits for a function that is still Pending.
const PENDING_WAIT: Duration = Duration::from_secs(10);

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    input: input::Invoke,
) -> Result<output::Invoke, Error> {
    let FoundFunction { target, function, version } = found;
    let event = event_of(input.payload.unwrap_or_default())?;
    let client_context = input.client_context.as_deref().map(client_context).transpose()?;
    settings::refuse(input.durable_execution_name.is_some(), "X-Amz-Durable-Execution-Name")?;
    match input.invocation_type.as_deref() {
        None | Some("RequestResponse") => {}
        Some("DryRun") => return Ok(output::Invoke { status_code: Some(204), ..Default::default() }),
        Some(other) => {
            return Err(invalid(format!(
                "InvocationType {other} is not supported by this release of lambd."
            )));
        }
    }
    features::refuse_to_run(&version.configuration, input.tenant_id.as_deref())?;
    let version = active(app, &function, version, &target).await?;
    let invocation = Invocation {
        request_id: call.request_id.clone(),
        event,
        invoked_arn: target.arn(&target.place()),
        client_context,
        trace_id: trace_id(call.trace_id.as_deref()),
        tail: input.log_type.as_deref() == Some("Tail"),
    };
    let answer =
        app.dispatcher.invoke(Arc::clone(&version), invocation).await.map_err(|error| match error {
            InvokeError::Gone => {
                not_found(&target.place().qualified_arn(&target.id.name, Some(&version.qualifier)))
            }
            other => refused(&other, &version),
        })?;
    Ok(answered(answer, version.qualifier.clone()))
}

fn answered(answer: InvocationResult, executed_version: String) -> output::Invoke {
    output::Invoke {
        status_code: Some(200),
        function_error: answer.is_error.then(|| "Unhandled".to_owned()),
        log_result: answer.tail.map(|tail| STANDARD.encode(tail)),
        payload: Some(answer.payload),
        executed_version: Some(executed_version),
        ..Default::default()
    }
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
    use serde_json::json;

    use super::*;
    use crate::api::testing::Api;

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

    #[tokio::test]
    async fn wrong_requests_are_refused_without_an_environment() {
        let api = Api::new().await;
        api.create("f").await;
        let path = "/2015-03-31/functions/f/invocations";
        let missing = api.call("POST", "/2015-03-31/functions/g/invocations", json!({})).await.refused();
        let arn = "Function not found: arn:aws:lambda:us-east-1:000000000000:function:g:$LATEST";
        assert_eq!((missing.0, missing.2.as_str()), (404, arn));
        let reserve = json!({ "ReservedConcurrentExecutions": 0 });
        api.call("PUT", "/2017-10-31/functions/f/concurrency", reserve).await.ok();
        let stopped = api.call("POST", path, json!({})).await;
        assert_eq!(stopped.body["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded");
        assert_eq!(stopped.refused().0, 429);
    }
}
