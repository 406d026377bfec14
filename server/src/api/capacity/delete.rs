//! DeleteCapacityProvider: answers Deleting; the provider is gone when that is stored.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::rules::{capacity, settle};
use crate::api::{Call, FoundResource};
use crate::app::App;
use crate::resources::{CapacityProvider, ProviderState, Resource as _};

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundResource<CapacityProvider>,
    _input: input::DeleteCapacityProvider,
) -> Result<output::DeleteCapacityProvider, Error> {
    let id = found.id;
    let arn = id.arn(CapacityProvider::SEGMENT);
    if !capacity::used_by(app, &call.place, &arn).is_empty() {
        return Err(capacity::in_use(&arn));
    }
    let name = id.name.clone();
    let change = move |present: Option<&CapacityProvider>| {
        let before = present.ok_or_else(|| capacity::missing(&name))?;
        if before.state != ProviderState::Active {
            return Err(capacity::in_transition(before.state));
        }
        Ok::<_, Error>(Some(CapacityProvider { state: ProviderState::Deleting, ..before.clone() }))
    };
    let changed = app.resources.capacity_providers.change(id.clone(), change).await?;
    settle::spawn::<CapacityProvider>(app, id.clone());
    let shown = changed.map(|provider| capacity::shown(&id, &provider));
    Ok(output::DeleteCapacityProvider { capacity_provider: shown })
}
