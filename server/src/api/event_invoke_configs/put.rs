//! PutFunctionEventInvokeConfig: replaces all settings for asynchronous invocations.

use std::sync::Arc;

use lambd_model::{Function, clock};
use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::target_function::TargetFunction;
use crate::api::rules::{errors, event_invoke};
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    input: input::PutFunctionEventInvokeConfig,
) -> Result<output::PutFunctionEventInvokeConfig, Error> {
    let given = event_invoke::Given {
        retries_max: input.maximum_retry_attempts,
        age_max_s: input.maximum_event_age_in_seconds,
        destinations: input.destination_config,
    };
    given.require_any()?;
    let qualifier = target.qualifier_or_latest().to_owned();
    if app.registry.get(&target.id).is_none_or(|function| !function.has_qualifier(&qualifier)) {
        return Err(event_invoke::no_function());
    }
    given.check_destinations(app, &target.id)?;
    let settings = Arc::new(given.over(None, clock::now_ms()));
    let (named, new) = (qualifier.clone(), Arc::clone(&settings));
    let change = move |function: &Function| {
        if !function.has_qualifier(&named) {
            return Err(RegistryError::Missing);
        }
        Ok(function.with_attached(|attached| attached.event_invoke.insert(named, new)))
    };
    app.registry.update(Arc::clone(&target.id), change).await.map_err(|error| match error {
        RegistryError::Missing => event_invoke::no_function(),
        error => errors::storage(&error),
    })?;
    Ok(event_invoke::shown(&call.place, &target.id.name, &qualifier, &settings))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

    fn path(name: &str) -> String {
        format!("/2019-09-25/functions/{name}/event-invoke-config")
    }

    #[tokio::test]
    async fn what_is_not_given_is_not_shown_and_what_was_there_is_replaced() {
        let api = Api::with_versions("f", 1).await;
        api.create("g").await;
        let destination = "arn:aws:lambda:us-east-1:000000000000:function:g";
        let request = json!({
            "MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60,
            "DestinationConfig": {
                "OnSuccess": { "Destination": destination },
                "OnFailure": { "Destination": "arn:aws:s3:::bucket" },
            },
        });
        let mut put = api.call("PUT", &path("f"), request.clone()).await.ok();
        let modified = put["LastModified"].take();
        assert!(modified.as_f64().is_some_and(|seconds| seconds > 1.6e9), "{modified}");
        for (member, want) in request.as_object().unwrap() {
            assert_eq!(&put[member], want, "{member}");
        }
        assert_eq!(put["FunctionArn"], format!("{ARN}:$LATEST"));
        let put = api.call("PUT", &path("f"), json!({ "MaximumRetryAttempts": 1 })).await.ok();
        assert_eq!(put["MaximumEventAgeInSeconds"], Value::Null);
        assert_eq!(put["DestinationConfig"], json!({ "OnSuccess": {}, "OnFailure": {} }));
        let version = api.call("PUT", &path("f:1"), json!({ "DestinationConfig": {} })).await.ok();
        assert_eq!(
            (&version["FunctionArn"], &version["MaximumRetryAttempts"]),
            (&json!(format!("{ARN}:1")), &Value::Null)
        );
    }

    #[tokio::test]
    async fn recorded_refusals() {
        let api = Api::new().await;
        api.create("f").await;
        let on_success = |arn: &str| json!({ "DestinationConfig": { "OnSuccess": { "Destination": arn } } });
        let config = |arn: &str| {
            format!(
                "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination={arn}), \
                 onFailure=null) is invalid."
            )
        };
        let other = "arn:aws:lambda:us-east-1:000000000000:function:doesnotexist";
        let iam = "arn:aws:iam:us-east-1:000000000000:function:f";
        let retry = json!({ "MaximumRetryAttempts": 1 });
        let none = "You must specify at least one of error handling or destination setting.";
        let itself = "You can't specify the function as a destination for itself.";
        for (name, request, status, text) in [
            ("doesnotexist", json!({}), 400, none.to_owned()),
            ("doesnotexist", retry.clone(), 404, "The function doesn't exist.".to_owned()),
            ("f:noalias", retry.clone(), 404, "The function doesn't exist.".to_owned()),
            (
                "f:1/event-invoke-config?Qualifier=2#",
                retry.clone(),
                400,
                "The derived qualifier from the function name does not match the specified qualifier."
                    .to_owned(),
            ),
            ("f", on_success(other), 400, format!("The destination ARN {other} is invalid.")),
            ("f", on_success(ARN), 400, itself.to_owned()),
            ("f", on_success(iam), 400, config(iam)),
            ("f", on_success("arn:aws:s3:::bucket"), 400, config("arn:aws:s3:::bucket")),
        ] {
            let target = if name.contains('#') {
                format!("/2019-09-25/functions/{}", name.trim_end_matches('#'))
            } else {
                path(name)
            };
            let (got, _, message) = api.call("PUT", &target, request).await.refused();
            assert_eq!((got, message), (status, text), "{name}");
        }
        let (status, code, _) =
            api.call("PUT", &path("f"), json!({ "MaximumRetryAttempts": 3 })).await.refused();
        assert_eq!((status, code.as_str()), (400, "ValidationException"));
    }
}
