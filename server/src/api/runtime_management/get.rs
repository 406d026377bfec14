//! GetRuntimeManagementConfig: `Auto` where nothing was put.

use std::sync::Arc;

use lambd_model::RuntimeUpdates;
use lambd_wire::{Error, input, output};

use crate::api::rules::target_function::not_found;
use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    _app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    _input: input::GetRuntimeManagementConfig,
) -> Result<output::GetRuntimeManagementConfig, Error> {
    let (arn, qualifier) = (found.target.arn(&call.place), found.target.qualifier_or_latest());
    if found.function.aliases.contains_key(qualifier) {
        return Err(not_found(&arn));
    }
    let management = found.function.attached.runtime_management.get(qualifier);
    let updates = match management.map_or(RuntimeUpdates::Auto, |management| management.updates) {
        RuntimeUpdates::Auto => "Auto",
        RuntimeUpdates::FunctionUpdate => "FunctionUpdate",
        RuntimeUpdates::Manual => "Manual",
    };
    Ok(output::GetRuntimeManagementConfig {
        update_runtime_on: Some(updates.to_owned()),
        function_arn: Some(arn),
        runtime_version_arn: management.and_then(|management| management.version_arn.clone()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn a_version_has_its_own_and_auto_at_first() {
        let api = Api::with_versions("f", 1).await;
        let path = "/2021-07-20/functions/f/runtime-management-config";
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
        let get = async |query: &str| api.call("GET", &format!("{path}{query}"), Value::Null).await.ok();
        assert_eq!(get("").await, json!({ "UpdateRuntimeOn": "Auto", "FunctionArn": arn }));
        let put = json!({ "UpdateRuntimeOn": "FunctionUpdate" });
        api.call("PUT", &format!("{path}?Qualifier=1"), put).await.ok();
        let version = json!({ "UpdateRuntimeOn": "FunctionUpdate", "FunctionArn": format!("{arn}:1") });
        assert_eq!((get("?Qualifier=1").await, &get("").await["UpdateRuntimeOn"]), (version, &json!("Auto")));
        let missing = api.call("GET", &format!("{path}?Qualifier=2"), Value::Null).await.refused();
        assert_eq!((missing.0, missing.2), (404, format!("Function not found: {arn}:2")));
    }
}
