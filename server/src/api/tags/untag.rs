//! UntagResource: removes tags; names that do not exist are no error, not even the empty one.

use std::sync::Arc;

use lambd_model::Function;
use lambd_wire::{Error, input, output};

use crate::api::rules::errors;
use crate::api::rules::tags::{self, Tags};
use crate::api::{Call, TaggedResource};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: TaggedResource,
    input: input::UntagResource,
) -> Result<output::UntagResource, Error> {
    let keys = input.tag_keys.unwrap_or_default();
    let remove = move |tags: &mut Tags| tags.retain(|name, _| !keys.contains(name));
    match found {
        TaggedResource::Function(found) => {
            let arn = call.place.function_arn(&found.target.id.name);
            let change = move |function: &Function| {
                let mut function = function.clone();
                remove(&mut function.tags);
                Ok(function)
            };
            let changed = app.registry.update(found.target.id, change).await;
            changed.map_err(|error| errors::of(&error, &arn))?;
        }
        TaggedResource::CodeSigningConfig(found) => {
            tags::change(&app.resources.code_signing, found.id, remove).await?;
        }
        TaggedResource::EventSourceMapping(found) => {
            tags::change(&app.resources.event_source_mappings, found.id, remove).await?;
        }
        TaggedResource::CapacityProvider(found) => {
            tags::change(&app.resources.capacity_providers, found.id, remove).await?;
        }
    }
    Ok(output::UntagResource::default())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    const PATH: &str = "/2017-03-31/tags/arn:aws:lambda:us-east-1:000000000000:function:f";

    #[tokio::test]
    async fn names_that_are_not_there_are_no_error() {
        let api = Api::new().await;
        api.create("f").await;
        api.call("POST", PATH, json!({ "Tags": { "a": "1", "b": "2" } })).await.ok();
        assert_eq!(api.call("DELETE", &format!("{PATH}?tagKeys=a&tagKeys=x"), Value::Null).await.status, 204);
        assert_eq!(api.call("GET", PATH, Value::Null).await.ok(), json!({ "Tags": { "b": "2" } }));
        let missing = PATH.replace(":f", ":g").replace(":gunction", ":function");
        let refused = api.call("DELETE", &format!("{missing}?tagKeys=a"), Value::Null).await.refused();
        assert_eq!(refused.0, 404, "{refused:?}");
    }
}
