//! InvokeWithResponseStream: the function's response is complete before the caller gets the first event of it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambd_wire::{Error, StreamedOutput, input, output};

use crate::api::rules::invocation::{self, Asked};
use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    input: input::InvokeWithResponseStream,
) -> Result<StreamedOutput, Error> {
    let (context, log_type) = (input.client_context.as_deref(), input.log_type.as_deref());
    let asked = Asked::check(input.payload, context, log_type, input.tenant_id)?;
    if input.invocation_type.as_deref() == Some("DryRun") {
        let members = output::InvokeWithResponseStream { status_code: Some(204), ..Default::default() };
        return Ok(StreamedOutput::new(members));
    }
    let (answer, executed_version) = invocation::run(app, call, found, asked).await?;
    let answered = StreamedOutput::new(output::InvokeWithResponseStream {
        status_code: Some(200),
        executed_version: Some(executed_version),
        ..Default::default()
    });
    let tail = answer.tail.map(|tail| STANDARD.encode(tail));
    if answer.is_error {
        let details = String::from_utf8_lossy(&answer.payload);
        return answered.complete(Some(("Unhandled", &details)), tail.as_deref());
    }
    answered.payload(answer.payload)?.complete(None, tail.as_deref())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::*;

    #[tokio::test]
    async fn a_refusal_is_an_ordinary_error() {
        let api = Api::new().await;
        api.create("f").await;
        let path = "/2021-11-15/functions/f/response-streaming-invocations";
        let missing = api.call("POST", &path.replace("/f/", "/g/"), json!({})).await.refused();
        let arn = "Function not found: arn:aws:lambda:us-east-1:000000000000:function:g:$LATEST";
        assert_eq!((missing.0, missing.2.as_str()), (404, arn));
        let reserve = json!({ "ReservedConcurrentExecutions": 0 });
        api.call("PUT", "/2017-10-31/functions/f/concurrency", reserve).await.ok();
        let stopped = api.call("POST", path, json!({})).await;
        assert_eq!(stopped.refused().0, 429);
    }
}
