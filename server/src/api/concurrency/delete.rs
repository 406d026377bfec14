//! DeleteFunctionConcurrency: back to the account's pool.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::rules::errors;
use crate::api::{Call, Found};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: Found,
    _input: input::DeleteFunctionConcurrency,
) -> Result<output::DeleteFunctionConcurrency, Error> {
    let Found { target, function } = found;
    let arn = call.place.function_arn(&target.id.name);
    if function.reserved_concurrency.is_some() {
        let id = Arc::clone(&function.id);
        app.registry.reserve(target.id, None).await.map_err(|error| errors::of(&error, &arn))?;
        app.dispatcher.reserve(&id);
    }
    Ok(output::DeleteFunctionConcurrency::default())
}
