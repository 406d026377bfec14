//! Settles resources that are in transition: event source mappings, capacity providers.
//!
//! Each step is stored, so that what a crash left in between settles after the next start.

use std::sync::Arc;
use std::time::Duration;

use lambd_model::ResourceId;

use crate::app::App;
use crate::resources::{
    CapacityProvider, Collection, EventSourceMapping, MappingState, ProviderState, Resource, WriteError,
};

/// How long to wait before the next attempt when the store has refused a step.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// A kind of resource whose changes take effect after they were answered.
pub(in crate::api) trait Settles: Resource {
    /// All of this kind.
    fn all(app: &App) -> &Collection<Self>;
    /// Whether it stays until a request changes it.
    fn is_settled(&self) -> bool;
    /// What becomes of it; `None` removes it.
    fn settled(&self) -> Option<Self>;
}

impl Settles for EventSourceMapping {
    fn all(app: &App) -> &Collection<Self> {
        &app.resources.event_source_mappings
    }
    fn is_settled(&self) -> bool {
        self.state.is_settled()
    }
    fn settled(&self) -> Option<Self> {
        let state = if self.is_enabled { MappingState::Enabled } else { MappingState::Disabled };
        (self.state != MappingState::Deleting).then(|| Self { state, ..self.clone() })
    }
}

impl Settles for CapacityProvider {
    fn all(app: &App) -> &Collection<Self> {
        &app.resources.capacity_providers
    }
    fn is_settled(&self) -> bool {
        self.state == ProviderState::Active
    }
    fn settled(&self) -> Option<Self> {
        let state = ProviderState::Active;
        (self.state != ProviderState::Deleting).then(|| Self { state, ..self.clone() })
    }
}

/// Settles the resource in the background. While the store refuses, it tries again for as long as the server runs; the
/// task does not keep the server from ending.
pub(in crate::api) fn spawn<R: Settles>(app: &Arc<App>, id: ResourceId) {
    let app = Arc::downgrade(app);
    tokio::spawn(async move {
        while let Some(app) = app.upgrade() {
            let step = |resource: Option<&R>| Ok::<_, WriteError>(resource.and_then(R::settled));
            let Err(error) = R::all(&app).change(id.clone(), step).await else { break };
            drop(app);
            tracing::error!(
                kind = R::SEGMENT,
                name = id.name,
                error = &error as &dyn std::error::Error,
                "cannot settle a resource"
            );
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    });
}

/// Settles what a crash left in transition.
pub fn settle_resources(app: &Arc<App>) {
    settle_all::<EventSourceMapping>(app);
    settle_all::<CapacityProvider>(app);
}

fn settle_all<R: Settles>(app: &Arc<App>) {
    for (id, resource) in R::all(app).all() {
        if !resource.is_settled() {
            spawn::<R>(app, id);
        }
    }
}

#[cfg(test)]
mod tests {
    use lambd_store::MemStore;
    use serde_json::Value;

    use super::*;
    use crate::api::testing::Api;
    use crate::testing::Limited;

    /// The paused clock advances by itself to the next attempt.
    #[tokio::test(start_paused = true)]
    async fn a_step_is_tried_again_and_taken_after_a_restart() {
        let store = Arc::new(Limited::new(MemStore::new(), 3));
        let api = Api::on(Arc::clone(&store) as _).await;
        api.create("f").await;
        let made = api.mapping("f", Value::Null).await.ok();
        let path = format!("/2015-03-31/event-source-mappings/{}", made["UUID"].as_str().unwrap());
        let state = async |api: &Api| api.call("GET", &path, Value::Null).await.ok()["State"].clone();
        tokio::time::sleep(10 * RETRY_PAUSE).await;
        assert_eq!(state(&api).await, "Creating", "the store refuses");
        let ended = Arc::downgrade(&api.app);
        drop(api);
        tokio::time::sleep(2 * RETRY_PAUSE).await;
        assert!(ended.upgrade().is_none(), "the task does not keep the server");
        let api = Api::on(Arc::clone(&store) as _).await;
        settle_resources(&api.app);
        tokio::time::sleep(10 * RETRY_PAUSE).await;
        assert_eq!(state(&api).await, "Creating", "the store still refuses");
        store.allow(1);
        tokio::time::sleep(2 * RETRY_PAUSE).await;
        assert_eq!(state(&api).await, "Enabled");
    }
}
