//! DeleteCodeSigningConfig: one that a function has cannot go [fact:code-signing-refusals].

use std::sync::Arc;

use lambd_wire::{Error, ErrorCode, input, output};

use crate::api::rules::signing;
use crate::api::{Call, FoundResource};
use crate::app::App;
use crate::resources::{CodeSigningConfig, Resource as _};

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    _call: &Call,
    found: FoundResource<CodeSigningConfig>,
    _input: input::DeleteCodeSigningConfig,
) -> Result<output::DeleteCodeSigningConfig, Error> {
    if let Some(name) = signing::functions_of(app, &found.id, None).first() {
        let arn = found.id.arn(CodeSigningConfig::SEGMENT);
        return Err(Error::new(
            ErrorCode::ResourceConflictException,
            format!("Cannot delete the code signing configuration {arn}: the function {name} uses it."),
        ));
    }
    app.resources.code_signing.change::<Error, _>(found.id, |_| Ok(None)).await?;
    Ok(output::DeleteCodeSigningConfig::default())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn a_config_goes_when_no_function_has_it() {
        let api = Api::new().await;
        let arn = api.signing_config("Warn").await;
        let path = format!("/2020-04-22/code-signing-configs/{arn}");
        let mut request = function("f");
        request["CodeSigningConfigArn"] = json!(arn);
        api.call("POST", "/2015-03-31/functions", request).await.ok();
        let (status, code, text) = api.call("DELETE", &path, Value::Null).await.refused();
        assert_eq!((status, code.as_str()), (409, "ResourceConflictException"), "{text}");
        api.call("DELETE", "/2015-03-31/functions/f", Value::Null).await.ok();
        assert_eq!(api.call("DELETE", &path, Value::Null).await.status, 204);
        assert_eq!(api.call("DELETE", &path, Value::Null).await.refused().0, 404);
    }
}
