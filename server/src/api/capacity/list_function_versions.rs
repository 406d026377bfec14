//! ListFunctionVersionsByCapacityProvider: always none, because no function runs on a provider here.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::{Call, FoundResource};
use crate::app::App;
use crate::resources::{CapacityProvider, Resource as _};

pub(in crate::api) async fn handle(
    _app: &Arc<App>,
    _call: &Call,
    found: FoundResource<CapacityProvider>,
    _input: input::ListFunctionVersionsByCapacityProvider,
) -> Result<output::ListFunctionVersionsByCapacityProvider, Error> {
    Ok(output::ListFunctionVersionsByCapacityProvider {
        capacity_provider_arn: Some(found.id.arn(CapacityProvider::SEGMENT)),
        function_versions: Some(Vec::new()),
        next_marker: None,
    })
}
