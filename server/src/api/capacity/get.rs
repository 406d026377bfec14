//! GetCapacityProvider.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::rules::capacity;
use crate::api::{Call, FoundResource};
use crate::app::App;
use crate::resources::CapacityProvider;

pub(in crate::api) async fn handle(
    _app: &Arc<App>,
    _call: &Call,
    found: FoundResource<CapacityProvider>,
    _input: input::GetCapacityProvider,
) -> Result<output::GetCapacityProvider, Error> {
    Ok(output::GetCapacityProvider { capacity_provider: Some(capacity::shown(&found.id, &found.resource)) })
}
