//! ListLayers: each layer with its newest version that matches.

use std::sync::Arc;

use lambd_wire::{Error, input, output, types};

use crate::api::Call;
use crate::api::rules::layers::{self, LayerName};
use crate::api::rules::page::Page;
use crate::app::App;
use crate::resources::Layer;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    (): (),
    input: input::ListLayers,
) -> Result<output::ListLayers, Error> {
    let page = Page::of(input.max_items, input.marker.as_deref())?;
    let (runtime, architecture) =
        (input.compatible_runtime.as_deref(), input.compatible_architecture.as_deref());
    let shown = |(name, layer): (String, Arc<Layer>)| {
        let mut versions = layer.versions.iter().rev();
        let (number, version) =
            versions.find(|(_, version)| layers::is_compatible(version, runtime, architecture))?;
        let named = LayerName { owner: call.place.clone(), name };
        Some(types::LayersListItem {
            layer_arn: Some(named.arn()),
            latest_matching_version: Some(layers::item(&named, *number, version)),
            layer_name: Some(named.name),
        })
    };
    let rest = app.resources.layers.list(&call.place, page.after.as_deref(), usize::MAX);
    let name = |layer: &types::LayersListItem| layer.layer_name.clone().unwrap_or_default();
    let (layers, next_marker) = page.cut(rest.into_iter().filter_map(shown), name);
    Ok(output::ListLayers { layers: Some(layers), next_marker })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn each_layer_is_shown_with_its_newest_match() {
        let api = Api::with_layers("a", 2).await;
        let request = json!({ "Content": { "ZipFile": zip("b") }, "CompatibleRuntimes": ["python3.11"] });
        api.call("POST", "/2018-10-31/layers/b/versions", request.clone()).await.ok();
        api.call("POST", "/2018-10-31/layers/gone/versions", request).await.ok();
        api.call("DELETE", "/2018-10-31/layers/gone/versions/1", Value::Null).await;
        let listed = async |query: &str| {
            let page = api.call("GET", &format!("/2018-10-31/layers{query}"), Value::Null).await.ok();
            let layers = page["Layers"].as_array().unwrap().clone();
            let shown = |layer: &Value| {
                let number = layer["LatestMatchingVersion"]["Version"].as_i64().unwrap();
                format!("{}:{number}", layer["LayerName"].as_str().unwrap())
            };
            layers.iter().map(shown).collect::<Vec<_>>()
        };
        assert_eq!(listed("").await, ["a:2", "b:1"]);
        assert_eq!(listed("?CompatibleRuntime=python3.11").await, ["b:1"]);
        assert_eq!(listed("?MaxItems=1").await, ["a:2"]);
        let refused =
            api.call("GET", "/2018-10-31/layers?CompatibleArchitecture=mips", Value::Null).await.refused();
        assert_eq!((refused.0, refused.1.as_str()), (400, "ValidationException"));
        let other = api.call_as("111111111111", REGION, "GET", "/2018-10-31/layers", Value::Null).await.ok();
        assert_eq!(other["Layers"], json!([]));
    }
}
