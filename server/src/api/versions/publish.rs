//! PublishVersion: the present code and settings under the next number, if they changed since the last one.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::rules::{errors, render, settings, updates};
use crate::api::{Call, FoundFunction};
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    input: input::PublishVersion,
) -> Result<output::PublishVersion, Error> {
    settings::refuse(input.publish_to.is_some(), "PublishTo")?;
    let arn = call.place.function_arn(&found.target.id.name);
    let input::PublishVersion { code_sha256, description, revision_id, .. } = input;
    let change = move |function: &lambd_model::Function| {
        updates::check(function, revision_id.as_deref())?;
        let current = function.latest.configuration.code.sha256.base64();
        match settings::non_empty(code_sha256).filter(|given| *given != current) {
            Some(given) => Err(RegistryError::CodeHash { given, current }),
            None => Ok(function.publish(description).0),
        }
    };
    let changed =
        app.registry.update(found.target.id, change).await.map_err(|error| errors::of(&error, &arn))?;
    let function = changed.now;
    let version = function.last_published().map_or(&function.latest, |published| &published.version);
    Ok(render::configuration(app, &function, version, &call.place, Some(&version.qualifier)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    const VERSIONS: &str = "/2015-03-31/functions/f/versions";

    #[tokio::test]
    async fn what_did_not_change_is_the_version_that_is_there() {
        let api = Api::new().await;
        let made = api.create("f").await;
        let first = api.call("POST", VERSIONS, json!({ "Description": "one" })).await;
        assert_eq!(first.status, 201);
        let first = first.ok();
        for (member, want) in [
            ("Version", json!("1")),
            ("Description", json!("one")),
            ("FunctionArn", json!("arn:aws:lambda:us-east-1:000000000000:function:f:1")),
            ("State", json!("Active")),
            ("LastUpdateStatus", json!("Successful")),
            ("CodeSha256", made["CodeSha256"].clone()),
        ] {
            assert_eq!(first[member], want, "{member}");
        }
        let again = api.call("POST", VERSIONS, json!({ "Description": "two" })).await.ok();
        assert_eq!(again, first);
        let code = json!({ "ZipFile": zip("two"), "Publish": true });
        let second = api.call("PUT", "/2015-03-31/functions/f/code", code).await.ok();
        assert_eq!((&second["Version"], &second["Description"]), (&json!("2"), &json!("")));
        let old = api.call("GET", "/2015-03-31/functions/f:1", Value::Null).await.ok();
        assert_eq!(old["Configuration"], first, "a published version never changes");
    }

    #[tokio::test]
    async fn what_is_not_what_the_caller_saw_is_not_published() {
        let api = Api::new().await;
        let made = api.create("f").await;
        for (request, status, text) in [
            (json!({ "RevisionId": "wrong" }), 412, "The Revision Id provided does not match"),
            (json!({ "CodeSha256": "eA==" }), 400, "CodeSHA256 (eA==) is different from current CodeSHA256"),
            (json!({ "PublishTo": "LATEST_PUBLISHED" }), 400, "PublishTo is not supported"),
        ] {
            let (got, _, message) = api.call("POST", VERSIONS, request).await.refused();
            assert!(got == status && message.contains(text), "{got} {message}");
        }
        let missing = api.call("POST", "/2015-03-31/functions/g/versions", json!({})).await.refused();
        let text = "Function not found: arn:aws:lambda:us-east-1:000000000000:function:g";
        assert_eq!((missing.0, missing.2.as_str()), (404, text));
        let right = json!({ "CodeSha256": made["CodeSha256"] });
        assert_eq!(api.call("POST", VERSIONS, right).await.ok()["Version"], "1");
    }

    #[tokio::test]
    async fn a_function_can_be_made_with_its_first_version() {
        let api = Api::new().await;
        let mut request = function("f");
        request["Publish"] = json!(true);
        let made = api.call("POST", "/2015-03-31/functions", request).await.ok();
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
        assert_eq!(
            (&made["Version"], &made["FunctionArn"], &made["State"]),
            (&json!("1"), &json!(arn), &json!("Pending"))
        );
        api.settled("f").await;
        let first = api.call("GET", "/2015-03-31/functions/f:1/configuration", Value::Null).await.ok();
        assert_eq!((&first["State"], &first["LastUpdateStatus"]), (&json!("Active"), &json!("Successful")));
    }
}
