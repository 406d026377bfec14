//! Settles mappings: from Creating, Enabling or Updating to Enabled or Disabled, and from Deleting to nothing.
//!
//! Each step is stored, so that a mapping which a crash left in between settles after the next start.

use std::sync::Arc;
use std::time::Duration;

use lambd_model::ResourceId;

use crate::app::App;
use crate::resources::{EventSourceMapping, MappingState, WriteError};

/// How long to wait before the next attempt when the store has refused a step.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Settles the mapping in the background. While the store refuses, it tries again for as long as the server runs; the
/// task does not keep the server from ending.
pub(in crate::api) fn spawn(app: &Arc<App>, id: ResourceId) {
    let app = Arc::downgrade(app);
    tokio::spawn(async move {
        while let Some(app) = app.upgrade() {
            let settled = app.resources.event_source_mappings.change(id.clone(), settled).await;
            let Err(error) = settled else { break };
            drop(app);
            tracing::error!(
                mapping = id.name,
                error = &error as &dyn std::error::Error,
                "cannot settle an event source mapping"
            );
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    });
}

fn settled(mapping: Option<&EventSourceMapping>) -> Result<Option<EventSourceMapping>, WriteError> {
    let to = |state: MappingState| mapping.map(|mapping| EventSourceMapping { state, ..mapping.clone() });
    Ok(match mapping.map(|mapping| (mapping.state, mapping.is_enabled)) {
        None | Some((MappingState::Deleting, _)) => None,
        Some((_, true)) => to(MappingState::Enabled),
        Some((_, false)) => to(MappingState::Disabled),
    })
}

/// Settles the mappings that a crash left on their way.
pub fn settle_mappings(app: &Arc<App>) {
    for (id, mapping) in app.resources.event_source_mappings.all() {
        if !mapping.state.is_settled() {
            spawn(app, id);
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
        settle_mappings(&api.app);
        tokio::time::sleep(10 * RETRY_PAUSE).await;
        assert_eq!(state(&api).await, "Creating", "the store still refuses");
        store.allow(1);
        tokio::time::sleep(2 * RETRY_PAUSE).await;
        assert_eq!(state(&api).await, "Enabled");
    }
}
