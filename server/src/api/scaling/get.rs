//! GetFunctionScalingConfig: what was requested. `AppliedFunctionScalingConfig` is absent, because nothing
//! applies it [fact:scaling-config].

use std::sync::Arc;

use lambd_wire::{Error, input, output, types};

use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    _app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    _input: input::GetFunctionScalingConfig,
) -> Result<output::GetFunctionScalingConfig, Error> {
    let number = |number: Option<u32>| number.and_then(|number| i32::try_from(number).ok());
    let scaling = found.function.attached.scaling.get(found.target.qualifier_or_latest());
    Ok(output::GetFunctionScalingConfig {
        function_arn: Some(found.target.arn(&call.place)),
        applied_function_scaling_config: None,
        requested_function_scaling_config: scaling.map(|scaling| types::FunctionScalingConfig {
            min_execution_environments: number(scaling.environments_min),
            max_execution_environments: number(scaling.environments_max),
        }),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn what_is_requested_is_never_called_applied() {
        let api = Api::with_versions("f", 1).await;
        let path = "/2025-11-30/functions/f/function-scaling-config?Qualifier=1";
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:f:1";
        let get = async || api.call("GET", path, Value::Null).await.ok();
        assert_eq!(get().await, json!({ "FunctionArn": arn }));
        let config = json!({ "MinExecutionEnvironments": 3 });
        api.call("PUT", path, json!({ "FunctionScalingConfig": config })).await.ok();
        assert_eq!(get().await, json!({ "FunctionArn": arn, "RequestedFunctionScalingConfig": config }));
        api.call("PUT", path, json!({})).await.ok();
        assert_eq!(get().await, json!({ "FunctionArn": arn }));
    }
}
