//! GetFunctionConfiguration.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use super::target::Target;
use super::{Call, present};
use crate::app::App;

pub(super) async fn handle(
    app: &Arc<App>,
    call: &Call,
    input: input::GetFunctionConfiguration,
) -> Result<output::GetFunctionConfiguration, Error> {
    let target = Target::parse(&call.place, input.function_name.as_deref(), input.qualifier.as_deref())?;
    let function = target.find(app, &call.place)?;
    Ok(present::configuration(app, &function, &call.place, target.qualifier.as_deref()))
}
