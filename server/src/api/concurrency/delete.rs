//! DeleteFunctionConcurrency: the function uses the account's unreserved concurrency again.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::rules::errors;
use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    _input: input::DeleteFunctionConcurrency,
) -> Result<output::DeleteFunctionConcurrency, Error> {
    let FoundFunction { target, function, .. } = found;
    let arn = call.place.function_arn(&target.id.name);
    if function.reserved_concurrency.is_some() {
        let id = Arc::clone(&function.id);
        app.registry.reserve(target.id, None).await.map_err(|error| errors::of(&error, &arn))?;
        app.dispatcher.reserve(&id);
    }
    Ok(output::DeleteFunctionConcurrency::default())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn deleted_concurrency_is_unreserved_again() {
        let api = Api::new().await;
        api.create("f").await;
        let path = "/2017-10-31/functions/f/concurrency";
        api.call("PUT", path, json!({ "ReservedConcurrentExecutions": 300 })).await.ok();
        for _ in 0..2 {
            assert_eq!(api.call("DELETE", path, Value::Null).await.status, 204);
        }
        let settings = api.call("GET", "/2016-08-19/account-settings", Value::Null).await.ok();
        assert_eq!(settings["AccountLimit"]["UnreservedConcurrentExecutions"], 1000);
        let missing = api.call("DELETE", "/2017-10-31/functions/g/concurrency", Value::Null).await;
        assert_eq!(missing.refused().0, 404);
    }
}
