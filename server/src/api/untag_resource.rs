//! UntagResource: removes tags; names that are not there, the empty one included, are no error.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use super::tag_resource::function_of;
use super::{Call, answer};
use crate::app::App;
use crate::model::Function;

pub(super) async fn handle(
    app: &Arc<App>,
    call: &Call,
    input: input::UntagResource,
) -> Result<output::UntagResource, Error> {
    let target = function_of(call, input.resource.as_deref())?;
    let arn = call.place.function_arn(&target.key.name);
    let keys = input.tag_keys.unwrap_or_default();
    let change = move |function: &Function| {
        let mut function = function.clone();
        function.tags.retain(|name, _| !keys.contains(name));
        Ok(function)
    };
    app.registry.update(target.key, change).await.map_err(|error| answer::of(&error, &arn))?;
    Ok(output::UntagResource::default())
}
