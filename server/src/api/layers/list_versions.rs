//! ListLayerVersions: the newest version first.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::layers::{self, LayerName};
use crate::api::rules::page::Page;
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    (): (),
    input: input::ListLayerVersions,
) -> Result<output::ListLayerVersions, Error> {
    let page = Page::of(input.max_items, input.marker.as_deref())?;
    let layer = LayerName::of(&call.place, input.layer_name.as_deref()).owned_by(&call.place)?;
    // A marker is the last number of its page; numbers fall.
    let before = page.after.as_deref().map_or(u64::MAX, |after| after.parse().unwrap_or(0));
    let (runtime, architecture) =
        (input.compatible_runtime.as_deref(), input.compatible_architecture.as_deref());
    let found = layer.find(app).unwrap_or_default();
    let rest = found.versions.range(..before).rev();
    let rest = rest.filter(|(_, version)| layers::is_compatible(version, runtime, architecture));
    let (versions, next_marker) = page.cut(rest, |(number, _)| number.to_string());
    let versions = versions.into_iter().map(|(number, version)| layers::item(&layer, *number, version));
    Ok(output::ListLayerVersions { layer_versions: Some(versions.collect()), next_marker })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn the_newest_comes_first_in_pages_and_by_compatibility() {
        let api = Api::with_layers("l", 3).await;
        let path = "/2018-10-31/layers/l/versions";
        let only = json!({ "Content": { "ZipFile": zip("one") }, "CompatibleArchitectures": ["arm64"] });
        api.call("POST", path, only).await.ok();
        let numbers = async |query: &str| {
            let page = api.call("GET", &format!("{path}{query}"), Value::Null).await.ok();
            let versions = page["LayerVersions"].as_array().unwrap().clone();
            let numbers: Vec<_> =
                versions.iter().map(|version| version["Version"].as_i64().unwrap()).collect();
            (numbers, page["NextMarker"].as_str().map(str::to_owned))
        };
        assert_eq!(numbers("").await, (vec![4, 3, 2, 1], None));
        assert_eq!(numbers("?CompatibleArchitecture=arm64").await.0, [4]);
        assert!(numbers("?CompatibleRuntime=python3.11").await.0.is_empty());
        let (first, marker) = numbers("?MaxItems=3").await;
        assert_eq!(first, [4, 3, 2]);
        assert_eq!(numbers(&format!("?Marker={}", marker.unwrap())).await, (vec![1], None));
        let none = api.call("GET", "/2018-10-31/layers/none/versions", Value::Null).await.ok();
        assert_eq!(none["LayerVersions"], json!([]));
    }
}
