//! UpdateCapacityProvider: what is not given stays; the provider is Pending until it has settled.

use std::sync::Arc;

use lambd_model::clock;
use lambd_wire::{Error, input, output};

use crate::api::rules::{capacity, settle};
use crate::api::{Call, FoundResource};
use crate::app::App;
use crate::resources::{CapacityProvider, ProviderState};

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    _call: &Call,
    found: FoundResource<CapacityProvider>,
    input: input::UpdateCapacityProvider,
) -> Result<output::UpdateCapacityProvider, Error> {
    let id = found.id;
    let name = id.name.clone();
    let change = move |present: Option<&CapacityProvider>| {
        let before = present.ok_or_else(|| capacity::missing(&name))?;
        if before.state != ProviderState::Active {
            return Err(capacity::in_transition(before.state));
        }
        let mut after = before.clone();
        after.scaling = capacity::scaling(Some(&before.scaling), input.capacity_provider_scaling_config)?;
        if let Some(tags) = input.propagate_tags {
            after.propagated_tags = Some(capacity::propagated(tags));
        }
        if let Some(telemetry) = input.telemetry_config {
            after.log = capacity::log(telemetry);
        }
        after.state = ProviderState::Pending;
        after.last_modified_ms = clock::now_ms();
        Ok::<_, Error>(Some(after))
    };
    let changed = app.resources.capacity_providers.change(id.clone(), change).await?;
    settle::spawn::<CapacityProvider>(app, id.clone());
    let shown = changed.map(|provider| capacity::shown(&id, &provider));
    Ok(output::UpdateCapacityProvider { capacity_provider: shown })
}
