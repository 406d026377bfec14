//! TagResource: adds and replaces tags.

use std::sync::Arc;

use lambd_model::Function;
use lambd_wire::{Error, input, output};

use crate::api::rules::errors;
use crate::api::rules::tags::{self, Tags};
use crate::api::{Call, TaggedResource};
use crate::app::App;
use crate::registry::merge_tags;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: TaggedResource,
    input: input::TagResource,
) -> Result<output::TagResource, Error> {
    let new = tags::given(input.tags)?;
    match found {
        TaggedResource::Function(found) => {
            let arn = call.place.function_arn(&found.target.id.name);
            let change = move |function: &Function| {
                let tags = merge_tags(&function.tags, new)?;
                Ok(Function { tags, ..function.clone() })
            };
            let changed = app.registry.update(found.target.id, change).await;
            changed.map_err(|error| errors::of(&error, &arn))?;
        }
        TaggedResource::CodeSigningConfig(found) => {
            tags::change(&app.resources.code_signing, found.id, |tags: &mut Tags| tags.extend(new)).await?;
        }
        TaggedResource::EventSourceMapping(found) => {
            tags::change(&app.resources.event_source_mappings, found.id, |tags: &mut Tags| tags.extend(new))
                .await?;
        }
        TaggedResource::CapacityProvider(found) => {
            tags::change(&app.resources.capacity_providers, found.id, |tags: &mut Tags| tags.extend(new))
                .await?;
        }
    }
    Ok(output::TagResource::default())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    const PATH: &str = "/2017-03-31/tags/arn:aws:lambda:us-east-1:000000000000:function:f";

    #[tokio::test]
    async fn keys_of_aws_are_refused_wherever_tags_are_given() {
        let api = Api::new().await;
        api.create("f").await;
        let tags = json!({ "AWS:x": "1" });
        let mut create = function("g");
        create["Tags"] = tags.clone();
        for answer in [
            api.call("POST", PATH, json!({ "Tags": tags })).await,
            api.call("POST", "/2015-03-31/functions", create).await,
            api.mapping("f", json!({ "Tags": tags })).await,
        ] {
            let (status, code, _) = answer.refused();
            assert_eq!((status, code.as_str()), (400, "InvalidParameterValueException"));
        }
        api.call("POST", PATH, json!({ "Tags": { "aws": "1", "xaws:": "2" } })).await;
        let found = api.call("GET", PATH, Value::Null).await.ok();
        assert_eq!(found["Tags"], json!({ "aws": "1", "xaws:": "2" }));
    }

    #[tokio::test]
    async fn tags_are_added_and_replaced_up_to_fifty() {
        let api = Api::new().await;
        api.create("f").await;
        let revision = api.call("GET", "/2015-03-31/functions/f/configuration", Value::Null).await.ok();
        let tags = |range: std::ops::Range<u32>, value: &str| {
            let tags: serde_json::Map<_, _> = range.map(|n| (format!("t{n}"), json!(value))).collect();
            json!({ "Tags": tags })
        };
        assert_eq!(api.call("POST", PATH, tags(0..30, "a")).await.status, 204);
        assert_eq!(api.call("POST", PATH, tags(29..50, "b")).await.status, 204);
        let many = api.call("POST", PATH, tags(49..51, "c")).await.refused();
        assert_eq!(many.2, "Number of tags exceeds resource tag limit.");
        let found = api.call("GET", PATH, Value::Null).await.ok();
        let of = |name: &str| found["Tags"][name].as_str();
        assert_eq!((of("t28"), of("t29"), of("t49"), of("t50")), (Some("a"), Some("b"), Some("b"), None));
        let after = api.call("GET", "/2015-03-31/functions/f/configuration", Value::Null).await.ok();
        assert_eq!(after["RevisionId"], revision["RevisionId"], "a revision does not move with tags");
    }
}
