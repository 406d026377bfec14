//! Invoke: supports RequestResponse and DryRun.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambd_wire::{Error, input, output};

use crate::api::rules::invocation::{self, Asked};
use crate::api::rules::settings;
use crate::api::rules::target_function::invalid;
use crate::api::{Call, FoundFunction};
use crate::app::App;
use crate::dispatch::InvocationResult;

/// Largest event of a synchronous invocation, bytes [fact:event-size].
pub const REQUEST_BYTES_MAX: usize = 6_291_456;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    input: input::Invoke,
) -> Result<output::Invoke, Error> {
    let (context, log_type) = (input.client_context.as_deref(), input.log_type.as_deref());
    let asked = Asked::check(input.payload, context, log_type, input.tenant_id)?;
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
    let (answer, executed_version) = invocation::run(app, call, found, asked).await?;
    Ok(answered(answer, executed_version))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::Api;

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
