//! GetFunctionConcurrency: `{}` without a reservation (lambda.md F2).

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::{Call, Found};
use crate::app::App;

pub(in crate::api) async fn handle(
    _app: &Arc<App>,
    _call: &Call,
    found: Found,
    _input: input::GetFunctionConcurrency,
) -> Result<output::GetFunctionConcurrency, Error> {
    let reserved = found.function.reserved_concurrency.and_then(|n| i32::try_from(n).ok());
    Ok(output::GetFunctionConcurrency { reserved_concurrent_executions: reserved })
}
