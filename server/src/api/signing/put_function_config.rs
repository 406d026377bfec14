//! PutFunctionCodeSigningConfig: concerns code that is deployed from now on. A config that is missing is reported
//! before a function that is.

use std::sync::Arc;

use lambd_model::Function;
use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::target_function::TargetFunction;
use crate::api::rules::{errors, signing};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    input: input::PutFunctionCodeSigningConfig,
) -> Result<output::PutFunctionCodeSigningConfig, Error> {
    let arn = input.code_signing_config_arn.unwrap_or_default();
    let (config, _) = signing::named(app, &call.place, &arn)?;
    let (name, function_arn) = (target.id.name.clone(), target.arn(&call.place));
    let change =
        |function: &Function| Ok(function.with_attached(|attached| signing::attach(attached, Some(config))));
    app.registry.update(target.id, change).await.map_err(|error| errors::of(&error, &function_arn))?;
    Ok(output::PutFunctionCodeSigningConfig { code_signing_config_arn: Some(arn), function_name: Some(name) })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    const PATH: &str = "/2020-06-30/functions/f/code-signing-config";

    #[tokio::test]
    async fn a_function_gets_a_config_and_loses_it() {
        let api = Api::new().await;
        api.create("f").await;
        let [one, two] = [api.signing_config("Warn").await, api.signing_config("Warn").await];
        for arn in [&one, &two] {
            let put = api.call("PUT", PATH, json!({ "CodeSigningConfigArn": arn })).await.ok();
            assert_eq!(put, json!({ "CodeSigningConfigArn": arn, "FunctionName": "f" }));
            assert_eq!(api.call("GET", PATH, Value::Null).await.ok(), put);
        }
        assert_eq!(api.call("DELETE", PATH, Value::Null).await.status, 204);
        assert_eq!(api.call("DELETE", PATH, Value::Null).await.status, 204, "none is no error");
        assert_eq!(api.call("GET", PATH, Value::Null).await.ok()["CodeSigningConfigArn"], "");
    }

    #[tokio::test]
    async fn what_is_missing_has_the_recorded_texts() {
        let api = Api::new().await;
        let known = api.signing_config("Warn").await;
        let unknown = format!("{}x", &known[..known.len() - 1]);
        let refused = api.call("PUT", PATH, json!({ "CodeSigningConfigArn": unknown })).await.refused();
        let text = format!(
            "The code signing configuration cannot be found. Check that the provided configuration is not deleted: \
             {unknown}."
        );
        assert_eq!(refused, (404, "CodeSigningConfigNotFoundException".to_owned(), text));
        let function = "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f";
        for (method, body) in
            [("PUT", json!({ "CodeSigningConfigArn": known })), ("GET", Value::Null), ("DELETE", Value::Null)]
        {
            let (status, code, text) = api.call(method, PATH, body).await.refused();
            assert_eq!((status, code.as_str(), text.as_str()), (404, "ResourceNotFoundException", function));
        }
    }

    #[tokio::test]
    async fn enforced_signatures_refuse_code_that_is_not_verified() {
        let api = Api::new().await;
        api.create("f").await;
        let enforced = json!({ "CodeSigningConfigArn": api.signing_config("Enforce").await });
        api.call("PUT", PATH, enforced.clone()).await.ok();
        let mut request = function("g");
        request["CodeSigningConfigArn"] = enforced["CodeSigningConfigArn"].clone();
        let before = api.call("GET", "/2015-03-31/functions/f/configuration", Value::Null).await.ok();
        for (method, path, body) in [
            ("POST", "/2015-03-31/functions", request),
            ("PUT", "/2015-03-31/functions/f/code", json!({ "ZipFile": zip("two") })),
            ("PUT", "/2015-03-31/functions/f/code", json!({ "ZipFile": zip("two"), "DryRun": true })),
        ] {
            let (status, code, text) = api.call(method, path, body).await.refused();
            assert_eq!((status, code.as_str()), (400, "CodeVerificationFailedException"), "{text}");
        }
        let after = api.call("GET", "/2015-03-31/functions/f/configuration", Value::Null).await.ok();
        assert_eq!(after["CodeSha256"], before["CodeSha256"]);
        assert_eq!(api.call("GET", "/2015-03-31/functions/g", Value::Null).await.refused().0, 404);
        api.call("DELETE", PATH, Value::Null).await.ok();
        api.call("PUT", "/2015-03-31/functions/f/code", json!({ "ZipFile": zip("two") })).await.ok();
    }
}
