//! RemoveLayerVersionPermission: a statement less.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::layers::{self, LayerName};
use crate::api::rules::{layer_policy, policy};
use crate::app::App;
use crate::resources::LayerVersion;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    (): (),
    input: input::RemoveLayerVersionPermission,
) -> Result<output::RemoveLayerVersionPermission, Error> {
    let layer = LayerName::of(&call.place, input.layer_name.as_deref()).owned_by(&call.place)?;
    let number = layers::number(input.version_number)?;
    let sid = input.statement_id.unwrap_or_default();
    let remove = move |version: &mut LayerVersion| {
        let before = version.policy.len();
        version.policy.retain(|known| known.sid != sid);
        if version.policy.len() == before { Err(policy::statement_missing(&sid)) } else { Ok(()) }
    };
    layer_policy::change(app, layer, number, input.revision_id, remove).await?;
    Ok(output::RemoveLayerVersionPermission::default())
}
