//! DeleteFunctionEventInvokeConfig: AWS's defaults hold again.

use std::sync::Arc;

use lambd_model::Function;
use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::target_function::TargetFunction;
use crate::api::rules::{errors, event_invoke};
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    _input: input::DeleteFunctionEventInvokeConfig,
) -> Result<output::DeleteFunctionEventInvokeConfig, Error> {
    let (name, qualifier) = (target.id.name.clone(), target.qualifier_or_latest().to_owned());
    let named = qualifier.clone();
    let change = move |function: &Function| {
        if !function.attached.event_invoke.contains_key(&named) {
            return Err(RegistryError::QualifierMissing(named));
        }
        Ok(function.with_attached(|attached| attached.event_invoke.remove(&named)))
    };
    app.registry.update(target.id, change).await.map_err(|error| match error {
        RegistryError::Missing | RegistryError::QualifierMissing(_) => {
            event_invoke::absent(&call.place, &name, &qualifier)
        }
        error => errors::storage(&error),
    })?;
    Ok(output::DeleteFunctionEventInvokeConfig::default())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn it_goes_by_itself_or_with_its_alias_or_its_version() {
        let api = Api::with_versions("f", 1).await;
        let path = |name: &str| format!("/2019-09-25/functions/{name}/event-invoke-config");
        let alias = json!({ "Name": "live", "FunctionVersion": "$LATEST" });
        api.call("POST", "/2015-03-31/functions/f/aliases", alias.clone()).await.ok();
        for name in ["f", "f:live", "f:1"] {
            api.call("PUT", &path(name), json!({ "MaximumRetryAttempts": 2 })).await.ok();
        }
        assert_eq!(api.call("DELETE", &path("f"), Value::Null).await.status, 204);
        for name in ["f", "g"] {
            let (status, _, text) = api.call("DELETE", &path(name), Value::Null).await.refused();
            let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:{name}:$LATEST");
            assert_eq!(
                (status, text),
                (404, format!("The function {arn} doesn't have an EventInvokeConfig"))
            );
        }
        for gone in ["/2015-03-31/functions/f/aliases/live", "/2015-03-31/functions/f?Qualifier=1"] {
            assert_eq!(api.call("DELETE", gone, Value::Null).await.status, 204);
        }
        let list = api.call("GET", &format!("{}/list", path("f")), Value::Null).await.ok();
        assert_eq!(list, json!({ "FunctionEventInvokeConfigs": [] }));
        api.call("POST", "/2015-03-31/functions/f/aliases", alias).await.ok();
        assert_eq!(api.call("GET", &path("f:live"), Value::Null).await.refused().0, 404);
    }
}
