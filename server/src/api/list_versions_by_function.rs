//! ListVersionsByFunction: `$LATEST` alone, until versions can be published.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use super::target::Target;
use super::{Call, present};
use crate::app::App;
use crate::model::arn::LATEST;

pub(super) async fn handle(
    app: &Arc<App>,
    call: &Call,
    input: input::ListVersionsByFunction,
) -> Result<output::ListVersionsByFunction, Error> {
    let target = Target::parse(&call.place, input.function_name.as_deref(), None)?;
    let function = target.find(app, &call.place)?;
    Ok(output::ListVersionsByFunction {
        versions: Some(vec![present::configuration(app, &function, &call.place, Some(LATEST))]),
        ..Default::default()
    })
}
