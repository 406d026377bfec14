//! DeleteFunction: 204; idle environments end at once, busy ones with their invocation.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use super::target::{Target, invalid, not_found};
use super::{Call, answer};
use crate::app::App;
use crate::model::arn::LATEST;

pub(super) async fn handle(
    app: &Arc<App>,
    call: &Call,
    input: input::DeleteFunction,
) -> Result<output::DeleteFunction, Error> {
    let target = Target::parse(&call.place, input.function_name.as_deref(), input.qualifier.as_deref())?;
    let arn = call.place.function_arn(&target.key.name);
    match target.qualifier.as_deref() {
        None => {}
        Some(LATEST) => {
            return Err(invalid("$LATEST version cannot be deleted without deleting the function."));
        }
        // Recorded: a version of an unknown function is reported without its qualifier.
        Some(_) if app.registry.get(&target.key).is_none() => return Err(not_found(&arn)),
        // Deleting a version that does not exist is no error on AWS.
        Some(_) => return Ok(output::DeleteFunction::default()),
    }
    let key = Arc::clone(&target.key);
    app.registry.delete(target.key).await.map_err(|error| answer::of(&error, &arn))?;
    app.dispatcher.retire(&key);
    app.dispatcher.reserve(&key);
    app.collector.ask();
    Ok(output::DeleteFunction::default())
}
