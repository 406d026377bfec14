//! ListTags.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::{Call, Found};
use crate::app::App;

pub(in crate::api) async fn handle(
    _app: &Arc<App>,
    _call: &Call,
    found: Found,
    _input: input::ListTags,
) -> Result<output::ListTags, Error> {
    Ok(output::ListTags { tags: Some(found.function.tags.clone()) })
}
