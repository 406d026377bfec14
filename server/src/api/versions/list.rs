//! ListVersionsByFunction: only `$LATEST`, until versions can be published.

use std::sync::Arc;

use lambd_model::arn::LATEST;
use lambd_wire::{Error, input, output};

use crate::api::rules::render;
use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    _input: input::ListVersionsByFunction,
) -> Result<output::ListVersionsByFunction, Error> {
    Ok(output::ListVersionsByFunction {
        versions: Some(vec![render::configuration(app, &found.function, &call.place, Some(LATEST))]),
        ..Default::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn only_the_unpublished_version_is_listed() {
        let api = Api::new().await;
        api.create("f").await;
        let found = api.call("GET", "/2015-03-31/functions/f/versions", Value::Null).await.ok();
        let versions = found["Versions"].as_array().unwrap();
        assert_eq!((versions.len(), &versions[0]["Version"]), (1, &json!("$LATEST")));
        assert!(versions[0]["FunctionArn"].as_str().unwrap().ends_with(":function:f:$LATEST"));
        assert_eq!(api.call("GET", "/2015-03-31/functions/g/versions", Value::Null).await.refused().0, 404);
    }
}
