//! ListDurableExecutionsByFunction: always empty.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    _app: &Arc<App>,
    _call: &Call,
    _found: FoundFunction,
    _input: input::ListDurableExecutionsByFunction,
) -> Result<output::ListDurableExecutionsByFunction, Error> {
    Ok(output::ListDurableExecutionsByFunction { durable_executions: Some(Vec::new()), next_marker: None })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f:1/durable-execution/name/id";

    #[tokio::test]
    async fn a_function_has_no_executions() {
        let api = Api::new().await;
        api.create("f").await;
        let path = "/2025-12-01/functions/f/durable-executions";
        let found = api.call("GET", path, Value::Null).await.ok();
        assert_eq!(found, json!({ "DurableExecutions": [] }));
        let wrong = api.call("GET", &format!("{path}?MaxItems=1001"), Value::Null).await.refused();
        assert_eq!(wrong.1, "ValidationException");
        let missing = api.call("GET", &path.replace("/f/", "/g/"), Value::Null).await.refused();
        assert_eq!(missing.0, 404);
    }

    #[tokio::test]
    async fn every_operation_on_an_execution_is_checked_and_finds_none() {
        let api = Api::new().await;
        let arn = ARN.replace('/', "%2F");
        let (token, callback) = (json!({ "CheckpointToken": "dG9rZW4=" }), "Y2FsbGJhY2s=");
        for (method, tail, body) in [
            ("GET", "", Value::Null),
            ("DELETE", "", Value::Null),
            ("GET", "/history", Value::Null),
            ("GET", "/state?CheckpointToken=dG9rZW4=", Value::Null),
            ("POST", "/checkpoint", token),
            ("POST", "/stop", Value::Null),
            ("POST", "/pause", json!({})),
            ("POST", "/resume", json!({})),
        ] {
            let path = format!("/2025-12-01/durable-executions/{arn}{tail}");
            let (status, code, text) = api.call(method, &path, body.clone()).await.refused();
            assert_eq!((status, code.as_str()), (404, "ResourceNotFoundException"), "{method} {tail} {text}");
            assert_eq!(text, format!("Durable execution not found: {ARN}"));
            let wrong = path.replace("durable-execution%2F", "x%2F");
            let refused = api.call(method, &wrong, body).await.refused();
            assert_eq!(refused.1, "ValidationException", "{method} {tail}");
        }
        for end in ["succeed", "fail", "heartbeat"] {
            let path = format!("/2025-12-01/durable-execution-callbacks/{callback}/{end}");
            let (status, _, text) = api.call("POST", &path, Value::Null).await.refused();
            assert_eq!((status, text), (404, format!("Callback not found: {callback}")), "{end}");
        }
    }
}
