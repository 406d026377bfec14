//! UpdateFunctionUrlConfig: members that are given replace those that are there; the address stays.

use std::sync::Arc;

use lambd_model::{Function, FunctionUrl, clock};
use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::target_function::TargetFunction;
use crate::api::rules::{errors, function_url};
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    input: input::UpdateFunctionUrlConfig,
) -> Result<output::UpdateFunctionUrlConfig, Error> {
    let (name, qualifier) = (target.id.name.clone(), target.qualifier_or_latest().to_owned());
    let named = qualifier.clone();
    let change = move |function: &Function| {
        if !function.has_qualifier(&named) {
            return Err(RegistryError::Missing);
        }
        let before = function.attached.urls.get(&named);
        let before = before.ok_or_else(|| RegistryError::QualifierMissing(named.clone()))?;
        let url = Arc::new(FunctionUrl {
            id: before.id.clone(),
            auth: input.auth_type.as_deref().map_or(before.auth, function_url::auth),
            invoke_mode: input.invoke_mode.as_deref().map_or(before.invoke_mode, function_url::invoke_mode),
            cors: input.cors.map_or_else(|| before.cors.clone(), function_url::cors),
            created_ms: before.created_ms,
            last_modified_ms: clock::now_ms(),
        });
        Ok(function.with_attached(|attached| attached.urls.insert(named, url)))
    };
    let changed = app.registry.update(target.id, change).await.map_err(|error| match error {
        RegistryError::Missing => function_url::no_function(),
        RegistryError::QualifierMissing(_) => errors::no_resource(),
        error => errors::storage(&error),
    })?;
    let url = changed.now.attached.urls.get(&qualifier).ok_or_else(errors::no_resource)?;
    let shown = function_url::shown(app, call, &name, &qualifier, url);
    Ok(output::UpdateFunctionUrlConfig {
        function_url: shown.function_url,
        function_arn: shown.function_arn,
        auth_type: shown.auth_type,
        cors: shown.cors,
        creation_time: shown.creation_time,
        last_modified_time: shown.last_modified_time,
        invoke_mode: shown.invoke_mode,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn what_is_not_given_stays_and_empty_cors_is_none() {
        let api = Api::new().await;
        api.create("f").await;
        let path = "/2021-10-31/functions/f/url";
        let iam = json!({ "AuthType": "AWS_IAM" });
        for (target, text) in [
            (path, "The resource you requested does not exist."),
            ("/2021-10-31/functions/f/url?Qualifier=v1", "Function does not exist"),
            ("/2021-10-31/functions/g/url", "Function does not exist"),
        ] {
            let refused = api.call("PUT", target, iam.clone()).await.refused();
            assert_eq!((refused.0, refused.2.as_str()), (404, text), "{target}");
        }
        let cors = json!({ "AllowMethods": ["GET"], "MaxAge": 0 });
        let made = api.call("POST", path, json!({ "AuthType": "NONE", "Cors": cors })).await.ok();
        let updated = api.call("PUT", path, iam).await.ok();
        assert_eq!((&updated["AuthType"], &updated["Cors"]), (&json!("AWS_IAM"), &cors));
        for member in ["FunctionUrl", "CreationTime", "FunctionArn", "InvokeMode"] {
            assert_eq!(updated[member], made[member], "{member}");
        }
        assert_eq!(api.call("GET", path, Value::Null).await.ok(), updated);
        let emptied = api.call("PUT", path, json!({ "Cors": {} })).await.ok();
        assert_eq!(emptied["Cors"], Value::Null);
        let too_many = json!({ "Cors": { "AllowMethods": ["OPTIONS"], "MaxAge": 86401 } });
        let (status, code, text) = api.call("PUT", path, too_many).await.refused();
        assert_eq!((status, code.as_str()), (400, "ValidationException"));
        assert!(text.starts_with("2 validation errors detected: "), "{text}");
    }
}
