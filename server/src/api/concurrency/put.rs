//! PutFunctionConcurrency: guarantee and cap; 0 stops the function.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::rules::errors;
use crate::api::{Call, Found};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: Found,
    input: input::PutFunctionConcurrency,
) -> Result<output::PutFunctionConcurrency, Error> {
    let target = found.target;
    let arn = call.place.function_arn(&target.id.name);
    let reserved = input.reserved_concurrent_executions.and_then(|n| u32::try_from(n).ok());
    let function =
        app.registry.reserve(target.id, reserved).await.map_err(|error| errors::of(&error, &arn))?;
    app.dispatcher.reserve(&function.id);
    Ok(output::PutFunctionConcurrency {
        reserved_concurrent_executions: input.reserved_concurrent_executions,
    })
}
