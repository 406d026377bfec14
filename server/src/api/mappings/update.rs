//! UpdateEventSourceMapping: what is not given stays. A mapping that has not settled is in use.

use std::sync::Arc;

use lambd_model::clock;
use lambd_wire::{Error, input, output};

use crate::api::rules::mappings::source::EventSource;
use crate::api::rules::mappings::{self, duplicates, settings, shown};
use crate::api::rules::{errors, settle};
use crate::api::{Call, FoundResource};
use crate::app::App;
use crate::resources::{EventSourceMapping, MappingState};

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundResource<EventSourceMapping>,
    input: input::UpdateEventSourceMapping,
) -> Result<output::UpdateEventSourceMapping, Error> {
    let named = input.function_name.as_deref();
    let source = EventSource::of(&found.resource);
    let function = named.map(|name| mappings::function(app, &call.place, Some(name), source)).transpose()?;
    let given = as_creation(input);
    let (place, uuid) = (call.place.clone(), found.id.name.clone());
    let all = app.resources.event_source_mappings.clone();
    let change = move |mapping: Option<&EventSourceMapping>| {
        let before = mapping.ok_or_else(errors::no_resource)?;
        if !before.state.is_settled() {
            return Err(mappings::in_use("update"));
        }
        let mut after = before.clone();
        settings::apply(&mut after, source, given)?;
        if let Some((name, qualifier)) = function {
            (after.function, after.qualifier) = (name, qualifier);
        }
        duplicates::refuse(&all, &place, &uuid, &after)?;
        after.state = match (before.is_enabled, after.is_enabled) {
            (false, true) => MappingState::Enabling,
            (true, false) => MappingState::Disabling,
            _ => MappingState::Updating,
        };
        after.last_modified_ms = clock::now_ms();
        Ok(Some(after))
    };
    let id = found.id;
    let changed = app.resources.event_source_mappings.change::<Error, _>(id.clone(), change).await?;
    settle::spawn::<EventSourceMapping>(app, id.clone());
    let changed = changed.ok_or_else(errors::no_resource)?;
    Ok(shown::shown(&call.place, &id, &changed))
}

/// The members that an update has, as those of a creation.
fn as_creation(input: input::UpdateEventSourceMapping) -> input::CreateEventSourceMapping {
    input::CreateEventSourceMapping {
        enabled: input.enabled,
        batch_size: input.batch_size,
        filter_criteria: input.filter_criteria,
        kms_key_arn: input.kms_key_arn,
        metrics_config: input.metrics_config,
        logging_config: input.logging_config,
        scaling_config: input.scaling_config,
        maximum_batching_window_in_seconds: input.maximum_batching_window_in_seconds,
        parallelization_factor: input.parallelization_factor,
        destination_config: input.destination_config,
        maximum_record_age_in_seconds: input.maximum_record_age_in_seconds,
        bisect_batch_on_function_error: input.bisect_batch_on_function_error,
        maximum_retry_attempts: input.maximum_retry_attempts,
        tumbling_window_in_seconds: input.tumbling_window_in_seconds,
        source_access_configurations: input.source_access_configurations,
        function_response_types: input.function_response_types,
        amazon_managed_kafka_event_source_config: input.amazon_managed_kafka_event_source_config,
        self_managed_kafka_event_source_config: input.self_managed_kafka_event_source_config,
        document_db_event_source_config: input.document_db_event_source_config,
        provisioned_poller_config: input.provisioned_poller_config,
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn what_is_removed_is_gone_and_what_is_not_given_stays() {
        let api = Api::new().await;
        api.create("f").await;
        let more = json!({
            "FilterCriteria": { "Filters": [{ "Pattern": "{\"body\":[\"x\"]}" }] },
            "ScalingConfig": { "MaximumConcurrency": 5 },
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "MetricsConfig": { "Metrics": ["EventCount"] },
            "KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/k",
        });
        let made = api.mapping("f", more.clone()).await.ok();
        api.mapping_settled(&made).await;
        let path = format!("/2015-03-31/event-source-mappings/{}", made["UUID"].as_str().unwrap());
        let changed = api.call("PUT", &path, json!({ "BatchSize": 7 })).await.ok();
        assert_eq!((&changed["State"], &changed["BatchSize"]), (&json!("Updating"), &json!(7)));
        for (member, value) in more.as_object().unwrap() {
            assert_eq!(&changed[member], value, "{member}");
        }
        api.mapping_settled(&made).await;
        let removal = json!({
            "FilterCriteria": {}, "ScalingConfig": {}, "FunctionResponseTypes": [], "MetricsConfig": {},
            "KMSKeyArn": "", "DestinationConfig": { "OnFailure": { "Destination": "" } },
            "MaximumBatchingWindowInSeconds": 0, "BisectBatchOnFunctionError": false,
        });
        let changed = api.call("PUT", &path, removal).await.ok();
        for member in ["FilterCriteria", "ScalingConfig", "MetricsConfig", "KMSKeyArn", "DestinationConfig"] {
            assert_eq!(changed[member], Value::Null, "{member}");
        }
        assert_eq!(changed["FunctionResponseTypes"], json!([]));
    }

    #[tokio::test]
    async fn enabling_and_disabling_have_states_of_their_own() {
        let api = Api::new().await;
        api.create("f").await;
        let made = api.mapping("f", json!({ "Enabled": false })).await.ok();
        assert_eq!(made["State"], "Disabled");
        let path = format!("/2015-03-31/event-source-mappings/{}", made["UUID"].as_str().unwrap());
        for (enabled, first, then) in
            [(true, "Enabling", "Enabled"), (false, "Disabling", "Disabled"), (false, "Updating", "Disabled")]
        {
            api.mapping_settled(&made).await;
            assert_eq!(api.call("PUT", &path, json!({ "Enabled": enabled })).await.ok()["State"], first);
            assert_eq!(api.mapping_settled(&made).await["State"], then);
        }
    }

    #[tokio::test]
    async fn another_function_takes_over_unless_it_has_the_source_already() {
        let api = Api::new().await;
        for name in ["f", "g"] {
            api.create(name).await;
        }
        let (made, other) =
            (api.mapping("f", Value::Null).await.ok(), api.mapping("g", Value::Null).await.ok());
        api.mapping_settled(&made).await;
        let uuid = other["UUID"].as_str().unwrap();
        let path = format!("/2015-03-31/event-source-mappings/{}", made["UUID"].as_str().unwrap());
        let taken = api.call("PUT", &path, json!({ "FunctionName": "g" })).await.refused();
        assert!(taken.0 == 409 && taken.2.ends_with(uuid), "{taken:?}");
        let missing = api.call("PUT", &path, json!({ "FunctionName": "h" })).await.refused();
        assert_eq!((missing.0, missing.2.as_str()), (400, "Function does not exist"));
        let moved = api.call("PUT", &path, json!({ "FunctionName": "g:$LATEST" })).await.ok();
        assert_eq!(moved["FunctionArn"], "arn:aws:lambda:us-east-1:000000000000:function:g:$LATEST");
    }
}
