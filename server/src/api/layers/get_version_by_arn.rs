//! GetLayerVersionByArn: one version by its ARN.

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
    input: input::GetLayerVersionByArn,
) -> Result<output::GetLayerVersionByArn, Error> {
    let named = LayerName::of_version(input.arn.as_deref().unwrap_or_default());
    let (layer, number) = named.ok_or_else(errors::no_resource)?;
    let version = layer.version(app, &call.place, number)?.ok_or_else(errors::no_resource)?;
    Ok(layers::shown(app, call, &layer, number, version))
}
