//! GetFunctionCodeSigningConfig: the answer is always that there is none; Terraform needs it
//! [fact:code-signing-question].

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    _app: &Arc<App>,
    _call: &Call,
    found: FoundFunction,
    _input: input::GetFunctionCodeSigningConfig,
) -> Result<output::GetFunctionCodeSigningConfig, Error> {
    Ok(output::GetFunctionCodeSigningConfig {
        code_signing_config_arn: Some(String::new()),
        function_name: Some(found.function.id.name.clone()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn no_function_has_a_signing_configuration() {
        let api = Api::new().await;
        api.create("f").await;
        let found = api.call("GET", "/2020-06-30/functions/f/code-signing-config", Value::Null).await.ok();
        assert_eq!(found, json!({ "CodeSigningConfigArn": "", "FunctionName": "f" }));
    }
}
