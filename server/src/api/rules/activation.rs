//! Settles functions: from Pending to Active, from InProgress to Successful.
//!
//! The package is unpacked before the record exists, so that only the state is left to change. This is still
//! a change of its own, because clients wait for it; and a record that a crash left Pending is activated at
//! the next start.

use std::sync::Arc;
use std::time::Duration;

use lambd_model::{Function, FunctionId};
use uuid::Uuid;

use crate::app::App;
use crate::registry::{Changed, RegistryError};

/// How long to wait before the next attempt when the store has refused an activation.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Activates this revision in the background. While the store refuses, it tries again for as long as the
/// server runs; the task does not keep the server from ending.
pub(in crate::api) fn spawn(app: &Arc<App>, function: &Function) {
    let (app, id, revision) = (Arc::downgrade(app), Arc::clone(&function.id), function.revision_id);
    tokio::spawn(async move {
        while let Some(app) = app.upgrade() {
            let Err(error) = activate(&app, &id, revision).await else { break };
            drop(app);
            tracing::error!(
                function = id.name,
                error = &error as &dyn std::error::Error,
                "cannot activate a function"
            );
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    });
}

/// Activates again what a change of another kind gave a new revision before it was activated.
pub(in crate::api) fn go_on(app: &Arc<App>, changed: &Changed) {
    if changed.now.needs_activation() && changed.before.revision_id != changed.now.revision_id {
        spawn(app, &changed.now);
    }
}

async fn activate(app: &App, id: &Arc<FunctionId>, revision: Uuid) -> Result<(), RegistryError> {
    let change = move |function: &Function| {
        if function.revision_id == revision { Ok(function.activated()) } else { Err(RegistryError::Revision) }
    };
    match app.registry.update(Arc::clone(id), change).await {
        // Changed or deleted since: the newer change has an activation of its own.
        Ok(_) | Err(RegistryError::Revision | RegistryError::Missing) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Activates the functions that a crash left Pending or InProgress.
pub fn activate_pending(app: &Arc<App>) {
    for function in app.registry.all() {
        if function.needs_activation() {
            spawn(app, &function);
        }
    }
}

#[cfg(test)]
mod tests {
    use lambd_store::MemStore;
    use serde_json::Value;

    use super::*;
    use crate::api::testing::{Api, function};
    use crate::registry::testing::Limited;

    const PATH: &str = "/2015-03-31/functions";

    /// The paused clock advances by itself to the next attempt.
    #[tokio::test(start_paused = true)]
    async fn activation_is_tried_again_while_the_store_refuses() {
        let store = Arc::new(Limited::new(MemStore::new(), 1));
        let api = Api::on(Arc::clone(&store) as _).await;
        api.call("POST", PATH, function("f")).await.ok();
        tokio::time::sleep(10 * RETRY_PAUSE).await;
        let state = async || {
            api.call("GET", &format!("{PATH}/f/configuration"), Value::Null).await.ok()["State"].clone()
        };
        assert_eq!(state().await, "Pending");
        store.allow(1);
        tokio::time::sleep(2 * RETRY_PAUSE).await;
        assert_eq!(state().await, "Active");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failing_activation_does_not_keep_the_server_from_ending() {
        let api = Api::on(Arc::new(Limited::new(MemStore::new(), 1))).await;
        api.call("POST", PATH, function("f")).await.ok();
        tokio::time::sleep(10 * RETRY_PAUSE).await;
        let app = Arc::downgrade(&api.app);
        drop(api);
        tokio::time::sleep(2 * RETRY_PAUSE).await;
        assert!(app.upgrade().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_crash_left_pending_is_activated_at_the_start() {
        let store = Arc::new(Limited::new(MemStore::new(), 1));
        let before = Api::on(Arc::clone(&store) as _).await;
        before.call("POST", PATH, function("f")).await.ok();
        drop(before);
        store.allow(usize::MAX);
        let after = Api::on(Arc::clone(&store) as _).await;
        activate_pending(&after.app);
        after.settled("f").await;
    }
}
