//! TagResource: adds and replaces tags of a function.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use super::target::{Target, invalid};
use super::{Call, answer};
use crate::app::App;
use crate::model::Function;
use crate::registry::merge_tags;

pub(super) async fn handle(
    app: &Arc<App>,
    call: &Call,
    input: input::TagResource,
) -> Result<output::TagResource, Error> {
    let target = function_of(call, input.resource.as_deref())?;
    let arn = call.place.function_arn(&target.key.name);
    let new = input.tags.unwrap_or_default();
    let change = move |function: &Function| {
        let tags = merge_tags(&function.tags, new)?;
        Ok(Function { tags, ..function.clone() })
    };
    app.registry.update(target.key, change).await.map_err(|error| answer::of(&error, &arn))?;
    Ok(output::TagResource::default())
}

/// The function that a resource ARN names; other kinds of resource are not here.
pub(super) fn function_of(call: &Call, resource: Option<&str>) -> Result<Target, Error> {
    let resource = resource.unwrap_or_default();
    if !resource.contains(":function:") {
        return Err(Error::new(
            lambd_wire::ErrorCode::ResourceNotFoundException,
            format!("The resource you requested does not exist: {resource}"),
        ));
    }
    let target = Target::parse(&call.place, Some(resource), None)?;
    match target.qualifier {
        None => Ok(target),
        Some(_) => Err(invalid(
            "Tags on function aliases and versions are not supported. Please specify a function ARN.",
        )),
    }
}
