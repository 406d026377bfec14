//! ListTags.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use super::Call;
use super::tag_resource::function_of;
use crate::app::App;

pub(super) async fn handle(
    app: &Arc<App>,
    call: &Call,
    input: input::ListTags,
) -> Result<output::ListTags, Error> {
    let target = function_of(call, input.resource.as_deref())?;
    let function = target.find(app, &call.place)?;
    Ok(output::ListTags { tags: Some(function.tags.clone()) })
}
