//! DeleteFunctionCodeSigningConfig: a function without a config is no error.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::rules::signing;
use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    _call: &Call,
    found: FoundFunction,
    _input: input::DeleteFunctionCodeSigningConfig,
) -> Result<output::DeleteFunctionCodeSigningConfig, Error> {
    signing::detach(app, &found.function.id).await?;
    Ok(output::DeleteFunctionCodeSigningConfig::default())
}
