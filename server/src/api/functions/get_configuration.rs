//! GetFunctionConfiguration.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::{Call, Found};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: Found,
    _input: input::GetFunctionConfiguration,
) -> Result<output::GetFunctionConfiguration, Error> {
    Ok(found.present(app, call))
}
