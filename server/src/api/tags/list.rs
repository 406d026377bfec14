//! ListTags: the tags of a function or another resource.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::{Call, TaggedResource};
use crate::app::App;

pub(in crate::api) async fn handle(
    _app: &Arc<App>,
    _call: &Call,
    found: TaggedResource,
    _input: input::ListTags,
) -> Result<output::ListTags, Error> {
    let tags = match found {
        TaggedResource::Function(found) => found.function.tags.clone(),
        TaggedResource::CodeSigningConfig(found) => found.resource.tags.clone(),
        TaggedResource::EventSourceMapping(found) => found.resource.tags.clone(),
    };
    Ok(output::ListTags { tags: Some(tags) })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    const PATH: &str = "/2017-03-31/tags/arn:aws:lambda:us-east-1:000000000000:function:f";

    #[tokio::test]
    async fn functions_have_tags_and_versions_do_not() {
        let api = Api::new().await;
        api.create("f").await;
        assert_eq!(api.call("GET", PATH, Value::Null).await.ok(), json!({ "Tags": {} }));
        let version = api.call("GET", &format!("{PATH}:1"), Value::Null).await.refused();
        assert!(
            version.2.starts_with("Tags on function aliases and versions are not supported."),
            "{version:?}"
        );
        let other = "/2017-03-31/tags/arn:aws:lambda:us-east-1:000000000000:event-source-mapping:\
                     11111111-2222-3333-4444-555555555555";
        assert_eq!(api.call("GET", other, Value::Null).await.refused().0, 404);
    }
}
