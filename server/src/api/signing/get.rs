//! GetCodeSigningConfig.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::rules::signing;
use crate::api::{Call, FoundResource};
use crate::app::App;
use crate::resources::CodeSigningConfig;

pub(in crate::api) async fn handle(
    _app: &Arc<App>,
    _call: &Call,
    found: FoundResource<CodeSigningConfig>,
    _input: input::GetCodeSigningConfig,
) -> Result<output::GetCodeSigningConfig, Error> {
    let shown = signing::shown(&found.id, &found.resource);
    Ok(output::GetCodeSigningConfig { code_signing_config: Some(shown) })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn every_operation_on_a_missing_config_has_the_recorded_text() {
        let api = Api::new().await;
        let arn = "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-4d603341663ec3c6x";
        let path = format!("/2020-04-22/code-signing-configs/{arn}");
        let functions = format!("{path}/functions");
        for (method, path, body) in [
            ("GET", &path, Value::Null),
            ("PUT", &path, json!({})),
            ("PUT", &path, json!({ "Description": "new-description" })),
            ("DELETE", &path, Value::Null),
            ("GET", &functions, Value::Null),
        ] {
            let (status, code, text) = api.call(method, path, body).await.refused();
            assert_eq!((status, code.as_str()), (404, "ResourceNotFoundException"), "{method} {path}");
            assert_eq!(text, format!("The Lambda code signing configuration {arn} can not be found."));
        }
    }
}
