//! PutFunctionRecursionConfig: kept and shown; loops are not looked for [fact:recursion-config].

use std::sync::Arc;

use lambd_model::{Function, LATEST, RecursiveLoop};
use lambd_wire::{Error, input, output};

use crate::api::rules::errors;
use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    input: input::PutFunctionRecursionConfig,
) -> Result<output::PutFunctionRecursionConfig, Error> {
    let arn = call.place.function_arn(&found.target.id.name);
    let recursion = Arc::new(match input.recursive_loop.as_deref() {
        Some("Allow") => RecursiveLoop::Allow,
        _ => RecursiveLoop::Terminate,
    });
    let change = move |function: &Function| {
        Ok(function.with_attached(|attached| attached.recursion.insert(LATEST.to_owned(), recursion)))
    };
    app.registry.update(found.target.id, change).await.map_err(|error| errors::of(&error, &arn))?;
    Ok(output::PutFunctionRecursionConfig { recursive_loop: input.recursive_loop })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::*;

    #[tokio::test]
    async fn recorded_refusals() {
        let api = Api::new().await;
        api.create("f").await;
        let put = async |name: &str, value: &str| {
            let path = format!("/2024-08-31/functions/{name}/recursion-config");
            api.call("PUT", &path, json!({ "RecursiveLoop": value })).await
        };
        assert_eq!(put("f", "Allow").await.ok(), json!({ "RecursiveLoop": "Allow" }));
        let invalid = "1 validation error detected: Value 'InvalidValue' at 'recursiveLoop' failed to satisfy \
                       constraint: Member must satisfy enum value set: [Terminate, Allow]";
        let missing = "Function not found: arn:aws:lambda:us-east-1:000000000000:function:g";
        for (name, value, status, text) in [("f", "InvalidValue", 400, invalid), ("g", "Allow", 404, missing)]
        {
            let (got, _, message) = put(name, value).await.refused();
            assert_eq!((got, message.as_str()), (status, text));
        }
        let (status, code, _) = put("f:1", "Allow").await.refused();
        assert_eq!((status, code.as_str()), (400, "ValidationException"), "it belongs to the whole function");
    }
}
