//! GetLayerVersionPolicy: who may use a version.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::layers::{self, LayerName};
use crate::api::rules::{layer_policy, policy};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    (): (),
    input: input::GetLayerVersionPolicy,
) -> Result<output::GetLayerVersionPolicy, Error> {
    let layer = LayerName::of(&call.place, input.layer_name.as_deref()).owned_by(&call.place)?;
    let number = layers::number(input.version_number)?;
    let arn = layer.version_arn(number);
    let found = layer.version(app, &call.place, number)?;
    let version = found.ok_or_else(|| layers::version_missing(&arn))?;
    if version.policy.is_empty() {
        return Err(policy::none());
    }
    Ok(output::GetLayerVersionPolicy {
        policy: Some(layer_policy::document(&arn, &version.policy)),
        revision_id: Some(version.policy_revision.to_string()),
    })
}
