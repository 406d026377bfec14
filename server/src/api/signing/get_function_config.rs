//! GetFunctionCodeSigningConfig: a function without a config is no error, because Terraform asks for every function
//! [fact:code-signing-question].

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::rules::signing;
use crate::api::{Call, FoundFunction};
use crate::app::App;
use crate::resources::{CodeSigningConfig, Resource as _};

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    _call: &Call,
    found: FoundFunction,
    _input: input::GetFunctionCodeSigningConfig,
) -> Result<output::GetFunctionCodeSigningConfig, Error> {
    let config = signing::of_function(app, &found.function);
    let arn = config.map(|(id, _)| id.arn(CodeSigningConfig::SEGMENT));
    Ok(output::GetFunctionCodeSigningConfig {
        code_signing_config_arn: Some(arn.unwrap_or_default()),
        function_name: Some(found.function.id.name.clone()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn a_function_without_a_config_has_an_empty_one() {
        let api = Api::new().await;
        api.create("f").await;
        let found = api.call("GET", "/2020-06-30/functions/f/code-signing-config", Value::Null).await.ok();
        assert_eq!(found, json!({ "CodeSigningConfigArn": "", "FunctionName": "f" }));
    }
}
