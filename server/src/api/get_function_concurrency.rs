//! GetFunctionConcurrency: `{}` without a reservation (lambda.md F2).

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use super::Call;
use super::target::Target;
use crate::app::App;

pub(super) async fn handle(
    app: &Arc<App>,
    call: &Call,
    input: input::GetFunctionConcurrency,
) -> Result<output::GetFunctionConcurrency, Error> {
    let target = Target::parse(&call.place, input.function_name.as_deref(), None)?;
    let function = target.find(app, &call.place)?;
    let reserved = function.reserved_concurrency.and_then(|n| i32::try_from(n).ok());
    Ok(output::GetFunctionConcurrency { reserved_concurrent_executions: reserved })
}
