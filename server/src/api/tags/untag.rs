//! UntagResource: removes tags; names that are not there, the empty one included, are no error.

use std::sync::Arc;

use lambd_model::Function;
use lambd_wire::{Error, input, output};

use crate::api::rules::errors;
use crate::api::{Call, Found};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: Found,
    input: input::UntagResource,
) -> Result<output::UntagResource, Error> {
    let target = found.target;
    let arn = call.place.function_arn(&target.id.name);
    let keys = input.tag_keys.unwrap_or_default();
    let change = move |function: &Function| {
        let mut function = function.clone();
        function.tags.retain(|name, _| !keys.contains(name));
        Ok(function)
    };
    app.registry.update(target.id, change).await.map_err(|error| errors::of(&error, &arn))?;
    Ok(output::UntagResource::default())
}
