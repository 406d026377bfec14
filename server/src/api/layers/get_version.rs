//! GetLayerVersion: one version, also of a layer of another account whose policy lets the caller use it.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::errors;
use crate::api::rules::layers::{self, LayerName};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    (): (),
    input: input::GetLayerVersion,
) -> Result<output::GetLayerVersion, Error> {
    let layer = LayerName::of(&call.place, input.layer_name.as_deref());
    let number = layers::number(input.version_number)?;
    let version = layer.version(app, &call.place, number)?.ok_or_else(errors::no_resource)?;
    Ok(layers::shown(app, call, &layer, number, version))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::api::testing::*;

    #[tokio::test]
    async fn a_version_is_found_by_name_and_arn() {
        let api = Api::with_layers("l", 2).await;
        let arn = "arn:aws:lambda:us-east-1:000000000000:layer:l";
        for path in [
            "/2018-10-31/layers/l/versions/2".to_owned(),
            format!("/2018-10-31/layers/{arn}/versions/2"),
            format!("/2018-10-31/layers?find=LayerVersion&Arn={arn}:2"),
        ] {
            let found = api.call("GET", &path, Value::Null).await.ok();
            assert_eq!((&found["Version"], &found["Description"]), (&2.into(), &"".into()), "{path}");
            assert_eq!(found["LayerVersionArn"], format!("{arn}:2"));
        }
        for (path, status, text) in [
            ("/2018-10-31/layers/l/versions/3".to_owned(), 404, "The resource you requested does not exist."),
            (
                "/2018-10-31/layers/none/versions/1".to_owned(),
                404,
                "The resource you requested does not exist.",
            ),
            ("/2018-10-31/layers/l/versions/0".to_owned(), 400, "Layer Version Cannot be less than 1"),
            ("/2018-10-31/layers/l/versions/-1".to_owned(), 400, "Layer Version Cannot be less than 1"),
            (
                format!("/2018-10-31/layers?find=LayerVersion&Arn={arn}:3"),
                404,
                "The resource you requested does not exist.",
            ),
        ] {
            let (got, _, message) = api.call("GET", &path, Value::Null).await.refused();
            assert!(got == status && message.contains(text), "{path} {got} {message}");
        }
        let path = format!("/2018-10-31/layers/{arn}/versions/2");
        assert_eq!(api.call_as("111111111111", REGION, "GET", &path, Value::Null).await.refused().0, 403);
    }
}
