//! GetFunction: configuration, tags, reserved concurrency and an address of the code.

use std::sync::Arc;

use lambd_model::{Configuration, Image};
use lambd_wire::{Error, input, output, types};

use crate::api::rules::image;
use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    _input: input::GetFunction,
) -> Result<output::GetFunction, Error> {
    let code = location(app, call, &found.version.configuration);
    Ok(output::GetFunction {
        configuration: Some(found.present(app, call)),
        code: Some(code),
        tags: (!found.function.tags.is_empty()).then(|| found.function.tags.clone()),
        concurrency: found.function.reserved_concurrency.map(|reserved| types::Concurrency {
            reserved_concurrent_executions: i32::try_from(reserved).ok(),
        }),
        ..Default::default()
    })
}

/// An image is named by its address, and by the digest in it if there is one: nothing else resolves it.
fn location(app: &App, call: &Call, configuration: &Configuration) -> types::FunctionCodeLocation {
    match configuration.image.as_deref() {
        Some(Image { uri, .. }) => types::FunctionCodeLocation {
            repository_type: Some("ECR".to_owned()),
            image_uri: Some(uri.clone()),
            resolved_image_uri: image::digest(uri).map(|_| uri.clone()),
            ..Default::default()
        },
        None => types::FunctionCodeLocation {
            repository_type: Some("S3".to_owned()),
            location: Some(app.code_location(&call.endpoint, &call.place.region, configuration.code.sha256)),
            ..Default::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn an_answer_has_all_that_belongs_to_the_function() {
        let api = Api::new().await;
        let mut request = function("f");
        request["Tags"] = json!({ "a": "b" });
        api.call("POST", "/2015-03-31/functions", request).await.ok();
        api.settled("f").await;
        let reserve = json!({ "ReservedConcurrentExecutions": 5 });
        api.call("PUT", "/2017-10-31/functions/f/concurrency", reserve.clone()).await.ok();
        let found = api.call("GET", "/2015-03-31/functions/f", Value::Null).await.ok();
        assert_eq!(found["Configuration"]["State"], "Active");
        assert_eq!((&found["Tags"], &found["Concurrency"]), (&json!({ "a": "b" }), &reserve));
        assert_eq!(found["Code"]["RepositoryType"], "S3");
        let location = found["Code"]["Location"].as_str().unwrap();
        assert!(location.starts_with("http://127.0.0.1:3001/_lambd/code/"), "{location}");
        let plain = api.create("plain").await;
        assert_eq!((&plain["Tags"], &plain["Concurrency"]), (&Value::Null, &Value::Null));
    }

    #[tokio::test]
    async fn a_function_is_found_by_every_form_of_its_name() {
        let api = Api::new().await;
        api.create("f").await;
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
        let latest = format!("{arn}:$LATEST");
        for (name, want) in [
            ("f", arn),
            ("function:f", arn),
            (arn, arn),
            ("f:$LATEST", latest.as_str()),
            ("f?Qualifier=$LATEST", latest.as_str()),
        ] {
            let found = api.call("GET", &format!("/2015-03-31/functions/{name}"), Value::Null).await.ok();
            assert_eq!(found["Configuration"]["FunctionArn"], want, "{name}");
        }
        for (name, text) in [
            ("g", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:g"),
            ("f:1", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:1"),
        ] {
            let (status, code, message) =
                api.call("GET", &format!("/2015-03-31/functions/{name}"), Value::Null).await.refused();
            assert_eq!((status, code.as_str(), message.as_str()), (404, "ResourceNotFoundException", text));
        }
    }
}
