//! DeleteLayerVersion: 204 whether it was there or not. Functions that use the version keep it.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::layers::{self, LayerName};
use crate::app::App;
use crate::resources::Layer;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    (): (),
    input: input::DeleteLayerVersion,
) -> Result<output::DeleteLayerVersion, Error> {
    let layer = LayerName::of(&call.place, input.layer_name.as_deref()).owned_by(&call.place)?;
    let number = layers::number(input.version_number)?;
    let remove = move |before: Option<&Layer>| {
        let mut layer = before.cloned();
        if let Some(layer) = &mut layer {
            layer.versions.remove(&number);
        }
        Ok::<_, Error>(layer)
    };
    app.resources.layers.change(call.place.resource(layer.name), remove).await?;
    app.collector.ask();
    Ok(output::DeleteLayerVersion::default())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::api::testing::*;

    #[tokio::test]
    async fn what_is_deleted_is_not_found() {
        let api = Api::with_layers("l", 2).await;
        let path = "/2018-10-31/layers/l/versions";
        for number in [1, 1, 7] {
            assert_eq!(api.call("DELETE", &format!("{path}/{number}"), Value::Null).await.status, 204);
        }
        assert_eq!(api.call("GET", &format!("{path}/1"), Value::Null).await.status, 404);
        let listed = api.call("GET", path, Value::Null).await.ok();
        assert_eq!(listed["LayerVersions"].as_array().unwrap().len(), 1);
        let refused = api.call("DELETE", &format!("{path}/-1"), Value::Null).await.refused();
        assert_eq!(refused.2, "Layer Version Cannot be less than 1");
    }
}
