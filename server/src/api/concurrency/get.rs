//! GetFunctionConcurrency: `{}` without a reservation [fact:reserved-concurrency].

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    _app: &Arc<App>,
    _call: &Call,
    found: FoundFunction,
    _input: input::GetFunctionConcurrency,
) -> Result<output::GetFunctionConcurrency, Error> {
    let reserved = found.function.reserved_concurrency.and_then(|n| i32::try_from(n).ok());
    Ok(output::GetFunctionConcurrency { reserved_concurrent_executions: reserved })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn nothing_without_a_reservation() {
        let api = Api::new().await;
        api.create("f").await;
        let path = "/2019-09-30/functions/f/concurrency";
        assert_eq!(api.call("GET", path, Value::Null).await.ok(), json!({}));
        let reserve = json!({ "ReservedConcurrentExecutions": 0 });
        api.call("PUT", "/2017-10-31/functions/f/concurrency", reserve.clone()).await.ok();
        assert_eq!(api.call("GET", path, Value::Null).await.ok(), reserve);
    }
}
