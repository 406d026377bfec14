//! TagResource: adds and replaces tags of a function.

use std::sync::Arc;

use lambd_model::Function;
use lambd_wire::{Error, input, output};

use crate::api::rules::errors;
use crate::api::{Call, Found};
use crate::app::App;
use crate::registry::merge_tags;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: Found,
    input: input::TagResource,
) -> Result<output::TagResource, Error> {
    let target = found.target;
    let arn = call.place.function_arn(&target.id.name);
    let new = input.tags.unwrap_or_default();
    let change = move |function: &Function| {
        let tags = merge_tags(&function.tags, new)?;
        Ok(Function { tags, ..function.clone() })
    };
    app.registry.update(target.id, change).await.map_err(|error| errors::of(&error, &arn))?;
    Ok(output::TagResource::default())
}
