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
        TaggedResource::CapacityProvider(found) => found.resource.tags.clone(),
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

    #[tokio::test]
    async fn other_resources_have_tags_of_their_own() {
        let api = Api::new().await;
        api.create("f").await;
        let provider = json!({
            "CapacityProviderName": "p",
            "VpcConfig": { "SubnetIds": ["subnet-0"], "SecurityGroupIds": [] },
            "PermissionsConfig": { "CapacityProviderOperatorRoleArn": "arn:aws:iam::000000000000:role/r" },
        });
        let provider = api.call("POST", "/2025-11-30/capacity-providers", provider).await.ok();
        let mapping = api.mapping("f", Value::Null).await.ok();
        for arn in [
            api.signing_config("Warn").await,
            mapping["EventSourceMappingArn"].as_str().unwrap().to_owned(),
            provider["CapacityProvider"]["CapacityProviderArn"].as_str().unwrap().to_owned(),
        ] {
            let path = format!("/2017-03-31/tags/{arn}");
            let tags = json!({ "Tags": { "a": "1", "b": "2" } });
            assert_eq!(api.call("POST", &path, tags).await.status, 204, "{arn}");
            let untagged = api.call("DELETE", &format!("{path}?tagKeys=a&tagKeys=x"), Value::Null).await;
            assert_eq!(untagged.status, 204, "{arn}");
            let left = api.call("GET", &path, Value::Null).await.ok();
            assert_eq!(left, json!({ "Tags": { "b": "2" } }), "{arn}");
            let many: serde_json::Map<_, _> = (0..50).map(|n| (format!("t{n}"), json!("x"))).collect();
            let many = api.call("POST", &path, json!({ "Tags": many })).await.refused();
            assert_eq!(many.2, "Number of tags exceeds resource tag limit.", "{arn}");
            let other = api.call_as("111111111111", REGION, "GET", &path, Value::Null).await.refused();
            assert_eq!(other.0, 404, "{arn}");
        }
    }
}
