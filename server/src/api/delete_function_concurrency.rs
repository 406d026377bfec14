//! DeleteFunctionConcurrency: back to the account's pool.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use super::put_function_concurrency::unqualified;
use super::target::Target;
use super::{Call, answer};
use crate::app::App;

pub(super) async fn handle(
    app: &Arc<App>,
    call: &Call,
    input: input::DeleteFunctionConcurrency,
) -> Result<output::DeleteFunctionConcurrency, Error> {
    let target = Target::parse(&call.place, input.function_name.as_deref(), None)?;
    unqualified(&target)?;
    let function = target.find_latest(app, &call.place)?;
    let arn = call.place.function_arn(&target.key.name);
    if function.reserved_concurrency.is_some() {
        let key = Arc::clone(&function.key);
        app.registry.reserve(target.key, None).await.map_err(|error| answer::of(&error, &arn))?;
        app.dispatcher.reserve(&key);
    }
    Ok(output::DeleteFunctionConcurrency::default())
}
