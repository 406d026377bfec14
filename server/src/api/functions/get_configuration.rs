//! GetFunctionConfiguration: the configuration alone.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    _input: input::GetFunctionConfiguration,
) -> Result<output::GetFunctionConfiguration, Error> {
    Ok(found.present(app, call))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn the_answer_is_the_configuration_alone() {
        let api = Api::new().await;
        api.create("f").await;
        let path = "/2015-03-31/functions/f/configuration";
        let found = api.call("GET", path, Value::Null).await.ok();
        assert_eq!((&found["FunctionName"], &found["LastUpdateStatus"]), (&json!("f"), &json!("Successful")));
        assert_eq!(found["Code"], Value::Null);
        let other = api.call_as("111111111111", REGION, "GET", path, Value::Null).await.refused();
        assert_eq!(other.0, 404);
    }
}
