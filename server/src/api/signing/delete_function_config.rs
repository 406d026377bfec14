//! DeleteFunctionCodeSigningConfig: a function without a config is no error.

use std::sync::Arc;

use lambd_model::Function;
use lambd_wire::{Error, input, output};

use crate::api::rules::{errors, signing};
use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    _input: input::DeleteFunctionCodeSigningConfig,
) -> Result<output::DeleteFunctionCodeSigningConfig, Error> {
    let arn = found.target.arn(&call.place);
    let change = |function: &Function| Ok(function.with_attached(|attached| signing::attach(attached, None)));
    app.registry.update(found.target.id, change).await.map_err(|error| errors::of(&error, &arn))?;
    Ok(output::DeleteFunctionCodeSigningConfig::default())
}
