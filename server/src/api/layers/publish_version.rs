//! PublishLayerVersion: stages the zip, and gives it the layer's next number.

use std::sync::Arc;

use lambd_model::clock;
use lambd_wire::{Error, input, output, types};
use uuid::Uuid;

use crate::api::Call;
use crate::api::rules::layers::{self, LayerName};
use crate::api::rules::{package, settings};
use crate::app::App;
use crate::resources::{Layer, LayerVersion};

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    (): (),
    input: input::PublishLayerVersion,
) -> Result<output::PublishLayerVersion, Error> {
    let layer = LayerName::of(&call.place, input.layer_name.as_deref()).owned_by(&call.place)?;
    let staged = package::Source::from(input.content.unwrap_or_default()).stage_zip(app, call).await?;
    let version = LayerVersion {
        code: package::code_ref(&staged),
        description: input.description.unwrap_or_default(),
        license: settings::non_empty(input.license_info),
        runtimes: input.compatible_runtimes,
        architectures: input.compatible_architectures,
        created_ms: clock::now_ms(),
        policy: Vec::new(),
        policy_revision: Uuid::new_v4(),
    };
    let shown = version.clone();
    let publish = move |before: Option<&Layer>| {
        let mut layer = before.cloned().unwrap_or_default();
        layer.last_number += 1;
        layer.versions.insert(layer.last_number, version);
        Ok::<_, Error>(Some(layer))
    };
    let id = call.place.resource(layer.name.as_str());
    let published = app.resources.layers.change(id, publish).await?;
    drop(staged);
    let number = published.map(|layer| layer.last_number).unwrap_or_default();
    let types::GetLayerVersionResponse {
        content,
        layer_arn,
        layer_version_arn,
        description,
        created_date,
        version,
        compatible_architectures,
        compatible_runtimes,
        license_info,
    } = layers::shown(app, call, &layer, number, shown);
    Ok(output::PublishLayerVersion {
        content,
        layer_arn,
        layer_version_arn,
        description,
        created_date,
        version,
        compatible_architectures,
        compatible_runtimes,
        license_info,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn numbers_grow_and_are_never_given_twice() {
        let api = Api::new().await;
        let path = "/2018-10-31/layers/l/versions";
        let request = json!({
            "Content": { "ZipFile": zip("one") }, "LicenseInfo": "MIT", "CompatibleRuntimes": ["python3.11"],
        });
        let answer = api.call("POST", path, request).await;
        assert_eq!(answer.status, 201);
        let made = answer.ok();
        for (member, want) in [
            ("Version", json!(1)),
            ("LayerArn", json!("arn:aws:lambda:us-east-1:000000000000:layer:l")),
            ("LayerVersionArn", json!("arn:aws:lambda:us-east-1:000000000000:layer:l:1")),
            ("Description", json!("")),
            ("LicenseInfo", json!("MIT")),
            ("CompatibleRuntimes", json!(["python3.11"])),
            ("CompatibleArchitectures", Value::Null),
        ] {
            assert_eq!(made[member], want, "{member}");
        }
        assert!(made["Content"]["Location"].as_str().unwrap().contains("/_lambd/code/"));
        let arn = "arn:aws:lambda:us-east-1:000000000000:layer:l";
        let second = json!({ "Content": { "ZipFile": zip("two") } });
        let by_arn = format!("/2018-10-31/layers/{arn}/versions");
        assert_eq!(api.call("POST", &by_arn, second.clone()).await.ok()["Version"], 2);
        for number in 1..=2 {
            assert_eq!(api.call("DELETE", &format!("{path}/{number}"), Value::Null).await.status, 204);
        }
        assert_eq!(api.call("POST", path, second).await.ok()["Version"], 3);
    }

    #[tokio::test]
    async fn bad_content_is_no_version() {
        let api = Api::new().await;
        let path = "/2018-10-31/layers/l/versions";
        for (content, text) in [
            (json!({}), "Please provide a source for function code."),
            (json!({ "ZipFile": "bm8gemlw" }), "Could not unzip uploaded file"),
        ] {
            let (status, _, message) = api.call("POST", path, json!({ "Content": content })).await.refused();
            assert!(status == 400 && message.contains(text), "{message}");
        }
        let other = "/2018-10-31/layers/arn:aws:lambda:us-east-1:111111111111:layer:l/versions";
        let request = json!({ "Content": { "ZipFile": zip("one") } });
        assert_eq!(api.call("POST", other, request).await.refused().0, 403);
        assert_eq!(api.call("GET", "/2018-10-31/layers", Value::Null).await.ok()["Layers"], json!([]));
    }
}
