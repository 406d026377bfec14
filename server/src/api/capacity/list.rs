//! ListCapacityProviders: by name, of one state if the caller names it.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::capacity;
use crate::api::rules::page::Page;
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    (): (),
    input: input::ListCapacityProviders,
) -> Result<output::ListCapacityProviders, Error> {
    let page = Page::of(input.max_items, input.marker.as_deref())?;
    let all = app.resources.capacity_providers.list(&call.place, page.after.as_deref(), usize::MAX);
    let state = input.state.as_deref();
    let asked = all
        .into_iter()
        .filter(|(_, provider)| state.is_none_or(|state| state == capacity::state_name(provider.state)));
    let (found, next_marker) = page.cut(asked, |(name, _)| name.clone());
    let shown =
        found.iter().map(|(name, provider)| capacity::shown(&call.place.resource(name.as_str()), provider));
    Ok(output::ListCapacityProviders { capacity_providers: Some(shown.collect()), next_marker })
}
