//! DeleteFunctionUrlConfig: its address is never used again.

use std::sync::Arc;

use lambd_model::Function;
use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::errors;
use crate::api::rules::target_function::TargetFunction;
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    _call: &Call,
    target: TargetFunction,
    _input: input::DeleteFunctionUrlConfig,
) -> Result<output::DeleteFunctionUrlConfig, Error> {
    let named = target.qualifier_or_latest().to_owned();
    let change = move |function: &Function| {
        if !function.attached.urls.contains_key(&named) {
            return Err(RegistryError::QualifierMissing(named));
        }
        Ok(function.with_attached(|attached| attached.urls.remove(&named)))
    };
    app.registry.update(target.id, change).await.map_err(|error| match error {
        RegistryError::Missing | RegistryError::QualifierMissing(_) => errors::no_resource(),
        error => errors::storage(&error),
    })?;
    Ok(output::DeleteFunctionUrlConfig::default())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn a_new_one_has_another_address() {
        let api = Api::new().await;
        api.create("f").await;
        let path = "/2021-10-31/functions/f/url";
        let first = api.call("POST", path, json!({ "AuthType": "NONE" })).await.ok();
        assert_eq!(api.call("DELETE", path, Value::Null).await.status, 204);
        for target in [path, "/2021-10-31/functions/g/url", "/2021-10-31/functions/f/url?Qualifier=v1"] {
            let refused = api.call("DELETE", target, Value::Null).await.refused();
            let text = "The resource you requested does not exist.";
            assert_eq!((refused.0, refused.2.as_str()), (404, text), "{target}");
        }
        let second = api.call("POST", path, json!({ "AuthType": "NONE" })).await.ok();
        assert_ne!(first["FunctionUrl"], second["FunctionUrl"]);
    }
}
