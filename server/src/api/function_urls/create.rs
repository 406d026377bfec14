//! CreateFunctionUrlConfig: an address of its own for a function or an alias.

use std::sync::Arc;

use lambd_model::{Function, FunctionUrl, clock};
use lambd_wire::{Error, ErrorCode, input, output};
use uuid::Uuid;

use crate::api::Call;
use crate::api::rules::target_function::TargetFunction;
use crate::api::rules::{errors, function_url};
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    input: input::CreateFunctionUrlConfig,
) -> Result<output::CreateFunctionUrlConfig, Error> {
    let now_ms = clock::now_ms();
    let url = Arc::new(FunctionUrl {
        id: Uuid::new_v4().simple().to_string(),
        auth: function_url::auth(input.auth_type.as_deref().unwrap_or_default()),
        invoke_mode: function_url::invoke_mode(input.invoke_mode.as_deref().unwrap_or_default()),
        cors: input.cors.and_then(function_url::cors),
        created_ms: now_ms,
        last_modified_ms: now_ms,
    });
    let (arn, name) = (target.arn(&call.place), target.id.name.clone());
    let qualifier = target.qualifier_or_latest().to_owned();
    let (new, named) = (Arc::clone(&url), qualifier.clone());
    let change = move |function: &Function| {
        if !function.has_qualifier(&named) {
            return Err(RegistryError::Missing);
        }
        if function.attached.urls.contains_key(&named) {
            return Err(RegistryError::Exists);
        }
        Ok(function.with_attached(|attached| attached.urls.insert(named, new)))
    };
    app.registry.update(target.id, change).await.map_err(|error| match error {
        RegistryError::Missing => function_url::no_function(),
        RegistryError::Exists => Error::new(
            ErrorCode::ResourceConflictException,
            format!(
                "Failed to create function url config for [functionArn = {arn}]. Error message:  \
                 FunctionUrlConfig exists for this Lambda function"
            ),
        ),
        error => errors::storage(&error),
    })?;
    let shown = function_url::shown(app, call, &name, &qualifier, &url);
    Ok(output::CreateFunctionUrlConfig {
        function_url: shown.function_url,
        function_arn: shown.function_arn,
        auth_type: shown.auth_type,
        cors: shown.cors,
        creation_time: shown.creation_time,
        invoke_mode: shown.invoke_mode,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

    fn path(name: &str) -> String {
        format!("/2021-10-31/functions/{name}/url")
    }

    #[tokio::test]
    async fn functions_and_aliases_have_addresses_of_their_own() {
        let api = Api::new().await;
        api.create("f").await;
        let alias = json!({ "Name": "live", "FunctionVersion": "$LATEST" });
        api.call("POST", "/2015-03-31/functions/f/aliases", alias).await.ok();
        let plain = api.call("POST", &path("f"), json!({ "AuthType": "NONE" })).await;
        assert_eq!(plain.status, 201);
        let plain = plain.ok();
        for (member, want) in [
            ("FunctionArn", json!(ARN)),
            ("AuthType", json!("NONE")),
            ("InvokeMode", json!("BUFFERED")),
            ("Cors", Value::Null),
        ] {
            assert_eq!(plain[member], want, "{member}");
        }
        let cors = json!({ "AllowCredentials": false, "AllowOrigins": ["*"], "MaxAge": 60 });
        let request = json!({ "AuthType": "AWS_IAM", "InvokeMode": "RESPONSE_STREAM", "Cors": cors });
        let alias = api.call("POST", &format!("{}?Qualifier=live", path("f")), request.clone()).await.ok();
        assert_eq!(alias["FunctionArn"], format!("{ARN}:live"));
        for (member, want) in request.as_object().unwrap() {
            assert_eq!(&alias[member], want, "{member}");
        }
        let address = |url: &Value| url["FunctionUrl"].as_str().unwrap().to_owned();
        assert_ne!(address(&plain), address(&alias));
        let (id, rest) = address(&plain)
            .trim_start_matches("http://")
            .split_once('.')
            .map(|(a, b)| (a.len(), b.to_owned()))
            .unwrap();
        assert_eq!((id, rest.as_str()), (32, "lambda-url.us-east-1.localhost:3001/"));
    }

    #[tokio::test]
    async fn recorded_refusals() {
        let api = Api::with_versions("f", 1).await;
        let pattern = |value: &str| {
            format!(
                "1 validation error detected: Value '{value}' at 'qualifier' failed to satisfy constraint: Member must \
                 satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)"
            )
        };
        api.call("POST", &path("f"), json!({ "AuthType": "NONE" })).await.ok();
        let exists = format!(
            "Failed to create function url config for [functionArn = {ARN}]. Error message:  FunctionUrlConfig \
             exists for this Lambda function"
        );
        let unlike = "The derived qualifier from the function name does not match the specified qualifier.";
        for (target, status, text) in [
            (path("f"), 409, exists),
            (path("doesnotexist"), 404, "Function does not exist".to_owned()),
            (format!("{}?Qualifier=v1", path("f")), 404, "Function does not exist".to_owned()),
            (format!("{}?Qualifier=1", path("f")), 400, pattern("1")),
            (format!("{}?Qualifier=%24LATEST", path("f")), 400, pattern("$LATEST")),
            (format!("{}?Qualifier=b", path("f:a")), 400, unlike.to_owned()),
        ] {
            let (got, _, message) = api.call("POST", &target, json!({ "AuthType": "NONE" })).await.refused();
            assert_eq!((got, message), (status, text), "{target}");
        }
    }
}
