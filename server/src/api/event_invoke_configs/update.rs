//! UpdateFunctionEventInvokeConfig: members that are given replace those that are there.

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
    input: input::UpdateFunctionEventInvokeConfig,
) -> Result<output::UpdateFunctionEventInvokeConfig, Error> {
    let given = event_invoke::Given {
        retries_max: input.maximum_retry_attempts,
        age_max_s: input.maximum_event_age_in_seconds,
        destinations: input.destination_config,
    };
    given.require_any()?;
    let (name, qualifier) = (target.id.name.clone(), target.qualifier_or_latest().to_owned());
    if app.registry.get(&target.id).is_none_or(|function| !function.has_qualifier(&qualifier)) {
        return Err(event_invoke::no_function());
    }
    given.check_destinations(app, &target.id)?;
    let named = qualifier.clone();
    let change = move |function: &Function| {
        let before = function.attached.event_invoke.get(&named);
        let before = before.ok_or_else(|| RegistryError::QualifierMissing(named.clone()))?;
        let settings = Arc::new(given.over(Some(before), clock::now_ms()));
        Ok(function.with_attached(|attached| attached.event_invoke.insert(named, settings)))
    };
    let absent = || event_invoke::absent(&call.place, &name, &qualifier);
    let changed = app.registry.update(target.id, change).await.map_err(|error| match error {
        RegistryError::Missing => event_invoke::no_function(),
        RegistryError::QualifierMissing(_) => absent(),
        error => errors::storage(&error),
    })?;
    let settings = changed.now.attached.event_invoke.get(&qualifier).ok_or_else(absent)?;
    Ok(event_invoke::shown(&call.place, &name, &qualifier, settings))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn what_is_not_given_stays() {
        let api = Api::new().await;
        api.create("f").await;
        let path = "/2019-09-25/functions/f/event-invoke-config";
        let retry = json!({ "MaximumRetryAttempts": 0 });
        let text = "The function arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST doesn't have an \
                    EventInvokeConfig";
        let absent = api.call("POST", path, retry.clone()).await.refused();
        assert_eq!((absent.0, absent.2.as_str()), (404, text));
        let queue = json!({ "OnFailure": { "Destination": "arn:aws:sqs:us-east-1:000000000000:q" }, "OnSuccess": {} });
        let put = json!({ "MaximumEventAgeInSeconds": 100, "DestinationConfig": queue });
        api.call("PUT", path, put).await.ok();
        let updated = api.call("POST", path, retry).await.ok();
        assert_eq!(
            (&updated["MaximumRetryAttempts"], &updated["MaximumEventAgeInSeconds"]),
            (&json!(0), &json!(100))
        );
        assert_eq!(updated["DestinationConfig"], queue);
        assert_eq!(api.call("GET", path, Value::Null).await.ok(), updated);
        let removed = json!({ "DestinationConfig": { "OnFailure": { "Destination": "" } } });
        let removed = api.call("POST", path, removed).await.ok();
        assert_eq!(removed["DestinationConfig"], json!({ "OnSuccess": {}, "OnFailure": {} }));
        let unknown = api
            .call("POST", "/2019-09-25/functions/g/event-invoke-config", json!({ "MaximumRetryAttempts": 0 }))
            .await
            .refused();
        assert_eq!((unknown.0, unknown.2.as_str()), (404, "The function doesn't exist."));
    }
}
