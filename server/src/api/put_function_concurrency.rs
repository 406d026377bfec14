//! PutFunctionConcurrency: guarantee and cap; 0 stops the function.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use super::target::{Target, invalid};
use super::{Call, answer};
use crate::app::App;

pub(super) async fn handle(
    app: &Arc<App>,
    call: &Call,
    input: input::PutFunctionConcurrency,
) -> Result<output::PutFunctionConcurrency, Error> {
    let target = Target::parse(&call.place, input.function_name.as_deref(), None)?;
    unqualified(&target)?;
    target.find_latest(app, &call.place)?;
    let arn = call.place.function_arn(&target.key.name);
    let reserved = input.reserved_concurrent_executions.and_then(|n| u32::try_from(n).ok());
    let function =
        app.registry.reserve(target.key, reserved).await.map_err(|error| answer::of(&error, &arn))?;
    app.dispatcher.reserve(&function.key);
    Ok(output::PutFunctionConcurrency {
        reserved_concurrent_executions: input.reserved_concurrent_executions,
    })
}

pub(super) fn unqualified(target: &Target) -> Result<(), Error> {
    match target.qualifier {
        None => Ok(()),
        Some(_) => Err(invalid(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this \
             operation. Please specify either a function name or an unqualified function ARN.",
        )),
    }
}
