//! GetFunctionUrlConfig.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::target_function::TargetFunction;
use crate::api::rules::{errors, function_url};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    _input: input::GetFunctionUrlConfig,
) -> Result<output::GetFunctionUrlConfig, Error> {
    let qualifier = target.qualifier_or_latest();
    let url =
        app.registry.get(&target.id).and_then(|function| function.attached.urls.get(qualifier).cloned());
    let url = url.ok_or_else(errors::no_resource)?;
    let shown = function_url::shown(app, call, &target.id.name, qualifier, &url);
    Ok(output::GetFunctionUrlConfig {
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
    async fn times_are_texts_and_what_is_missing_is_a_resource() {
        let api = Api::new().await;
        api.create("f").await;
        let path = "/2021-10-31/functions/f/url";
        for target in [path, "/2021-10-31/functions/g/url", "/2021-10-31/functions/f/url?Qualifier=v1"] {
            let refused = api.call("GET", target, Value::Null).await.refused();
            let text = "The resource you requested does not exist.";
            assert_eq!((refused.0, refused.2.as_str()), (404, text), "{target}");
        }
        api.call("POST", path, json!({ "AuthType": "NONE" })).await.ok();
        let got = api.call("GET", path, Value::Null).await.ok();
        for member in ["CreationTime", "LastModifiedTime"] {
            let time = got[member].as_str().unwrap();
            assert!(time.contains('T') && time.ends_with('Z'), "{member} {time}");
        }
    }
}
