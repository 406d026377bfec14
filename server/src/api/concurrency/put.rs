//! PutFunctionConcurrency: a guarantee and a limit; 0 stops the function.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::rules::errors;
use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    input: input::PutFunctionConcurrency,
) -> Result<output::PutFunctionConcurrency, Error> {
    let target = found.target;
    let arn = call.place.function_arn(&target.id.name);
    let reserved = input.reserved_concurrent_executions.and_then(|n| u32::try_from(n).ok());
    let function =
        app.registry.reserve(target.id, reserved).await.map_err(|error| errors::of(&error, &arn))?;
    app.dispatcher.reserve(&function.id);
    Ok(output::PutFunctionConcurrency {
        reserved_concurrent_executions: input.reserved_concurrent_executions,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::*;

    #[tokio::test]
    async fn a_hundred_of_the_account_cannot_be_reserved() {
        let api = Api::new().await;
        api.create("f").await;
        let put = async |name: &str, executions: i32| {
            let path = format!("/2017-10-31/functions/{name}/concurrency");
            api.call("PUT", &path, json!({ "ReservedConcurrentExecutions": executions })).await
        };
        assert_eq!(put("f", 900).await.ok(), json!({ "ReservedConcurrentExecutions": 900 }));
        for (name, executions, status, text) in [
            ("f", 901, 400, "below its minimum value of [100]"),
            ("f", -1, 400, "Member must have value greater than or equal to 0"),
            ("f:1", 1, 400, "This operation is permitted on Lambda functions only."),
            ("g", 1, 404, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:g:$LATEST"),
        ] {
            let (got, _, message) = put(name, executions).await.refused();
            assert!(got == status && message.contains(text), "{got} {message}");
        }
    }
}
