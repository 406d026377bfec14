//! DeleteFunction: 204; idle environments end at once, busy ones with their invocation.

use std::sync::Arc;

use lambd_model::arn::LATEST;
use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::errors;
use crate::api::rules::target::{Target, invalid, not_found};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: Target,
    _input: input::DeleteFunction,
) -> Result<output::DeleteFunction, Error> {
    let arn = call.place.function_arn(&target.id.name);
    match target.qualifier.as_deref() {
        None => {}
        Some(LATEST) => {
            return Err(invalid("$LATEST version cannot be deleted without deleting the function."));
        }
        // Recorded: a version of an unknown function is reported without its qualifier.
        Some(_) if app.registry.get(&target.id).is_none() => return Err(not_found(&arn)),
        // Deleting a version that does not exist is no error on AWS.
        Some(_) => return Ok(output::DeleteFunction::default()),
    }
    let deleted = app.registry.delete(target.id).await.map_err(|error| errors::of(&error, &arn))?;
    app.dispatcher.retire(&deleted.latest);
    app.dispatcher.reserve(&deleted.id);
    app.collector.ask();
    Ok(output::DeleteFunction::default())
}
