//! DeleteEventSourceMapping: answers Deleting; the mapping is gone when that is stored.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::rules::mappings::{self, shown};
use crate::api::rules::{errors, settle};
use crate::api::{Call, FoundResource};
use crate::app::App;
use crate::resources::{EventSourceMapping, MappingState};

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundResource<EventSourceMapping>,
    _input: input::DeleteEventSourceMapping,
) -> Result<output::DeleteEventSourceMapping, Error> {
    let change = |mapping: Option<&EventSourceMapping>| {
        let before = mapping.ok_or_else(errors::no_resource)?;
        if !before.state.is_settled() {
            return Err(mappings::in_use("delete"));
        }
        Ok(Some(EventSourceMapping { state: MappingState::Deleting, ..before.clone() }))
    };
    let id = found.id;
    let changed = app.resources.event_source_mappings.change::<Error, _>(id.clone(), change).await?;
    settle::spawn::<EventSourceMapping>(app, id.clone());
    let changed = changed.ok_or_else(errors::no_resource)?;
    Ok(shown::shown(&call.place, &id, &changed))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lambd_store::MemStore;
    use serde_json::{Value, json};

    use crate::api::testing::*;
    use crate::testing::Limited;

    #[tokio::test]
    async fn a_mapping_is_deleting_and_then_gone_also_without_its_function() {
        let api = Api::new().await;
        api.create("f").await;
        let made = api.mapping("f", Value::Null).await.ok();
        api.mapping_settled(&made).await;
        api.call("DELETE", "/2015-03-31/functions/f", Value::Null).await.ok();
        let path = format!("/2015-03-31/event-source-mappings/{}", made["UUID"].as_str().unwrap());
        assert_eq!(api.call("GET", &path, Value::Null).await.ok()["State"], "Enabled", "it stays");
        let deleted = api.call("DELETE", &path, Value::Null).await;
        assert_eq!((deleted.status, &deleted.body["State"]), (202, &json!("Deleting")));
        while api.call("GET", &path, Value::Null).await.status == 200 {
            tokio::task::yield_now().await;
        }
        assert_eq!(api.call("DELETE", &path, Value::Null).await.refused().0, 404);
    }

    #[tokio::test]
    async fn what_has_not_settled_is_in_use() {
        let store = Arc::new(Limited::new(MemStore::new(), 3));
        let api = Api::on(Arc::clone(&store) as _).await;
        api.create("f").await;
        // The store takes the mapping and refuses its next step.
        let made = api.mapping("f", Value::Null).await.ok();
        let path = format!("/2015-03-31/event-source-mappings/{}", made["UUID"].as_str().unwrap());
        for (method, body, what) in [("DELETE", Value::Null, "delete"), ("PUT", json!({}), "update")] {
            let (status, code, text) = api.call(method, &path, body).await.refused();
            assert_eq!((status, code.as_str()), (400, "ResourceInUseException"));
            assert_eq!(text, format!("Cannot {what} the event source mapping because it is in use."));
        }
    }
}
