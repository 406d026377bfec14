//! ListVersionsByFunction: `$LATEST` alone, until versions can be published.

use std::sync::Arc;

use lambd_model::arn::LATEST;
use lambd_wire::{Error, input, output};

use crate::api::rules::present;
use crate::api::{Call, Found};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: Found,
    _input: input::ListVersionsByFunction,
) -> Result<output::ListVersionsByFunction, Error> {
    Ok(output::ListVersionsByFunction {
        versions: Some(vec![present::configuration(app, &found.function, &call.place, Some(LATEST))]),
        ..Default::default()
    })
}
