//! PutFunctionScalingConfig: kept as what was requested; without managed instances nothing applies it
//! [fact:scaling-config].

use std::sync::Arc;

use lambd_model::{Function, FunctionState, Scaling};
use lambd_wire::{Error, input, output};

use crate::api::rules::errors;
use crate::api::rules::target_function::invalid;
use crate::api::{Call, FoundFunction};
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    input: input::PutFunctionScalingConfig,
) -> Result<output::PutFunctionScalingConfig, Error> {
    let arn = call.place.function_arn(&found.target.id.name);
    let qualifier = found.target.qualifier_or_latest().to_owned();
    let number = |given: Option<i32>| given.and_then(|number| u32::try_from(number).ok());
    let scaling = input.function_scaling_config.map(|given| Scaling {
        environments_min: number(given.min_execution_environments),
        environments_max: number(given.max_execution_environments),
    });
    let bounds = scaling.and_then(|scaling| scaling.environments_min.zip(scaling.environments_max));
    if bounds.is_some_and(|(min, max)| min > max) {
        return Err(invalid("MinExecutionEnvironments cannot be greater than MaxExecutionEnvironments."));
    }
    let change = move |function: &Function| {
        if !function.has_qualifier(&qualifier) {
            return Err(RegistryError::VersionMissing(qualifier));
        }
        Ok(function.with_attached(|attached| match scaling {
            Some(scaling) => attached.scaling.insert(qualifier, Arc::new(scaling)),
            None => attached.scaling.remove(&qualifier),
        }))
    };
    let changed =
        app.registry.update(found.target.id, change).await.map_err(|error| errors::of(&error, &arn))?;
    let state = if changed.now.state == FunctionState::Pending { "Pending" } else { "Active" };
    Ok(output::PutFunctionScalingConfig { function_state: Some(state.to_owned()) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::*;

    #[tokio::test]
    async fn only_a_published_version_can_have_one() {
        let api = Api::with_versions("f", 1).await;
        let path = |qualifier: &str| {
            format!("/2025-11-30/functions/f/function-scaling-config?Qualifier={qualifier}")
        };
        let scaling = |min: i32, max: i32| {
            let config = json!({ "MinExecutionEnvironments": min, "MaxExecutionEnvironments": max });
            json!({ "FunctionScalingConfig": config })
        };
        let put = api.call("PUT", &path("1"), scaling(1, 2)).await;
        assert_eq!(put.status, 202);
        assert_eq!(put.ok(), json!({ "FunctionState": "Active" }));
        let missing = "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:";
        for (qualifier, min, max, status, text) in [
            ("1", 2, 1, 400, "MinExecutionEnvironments cannot be greater"),
            ("1", 0, 15_001, 400, "Member must have value less than or equal to 15000"),
            ("2", 1, 2, 404, missing),
            ("%24LATEST.PUBLISHED", 1, 2, 404, missing),
            ("live", 1, 2, 400, "Member must satisfy regular expression pattern"),
        ] {
            let (got, _, message) = api.call("PUT", &path(qualifier), scaling(min, max)).await.refused();
            assert!(got == status && message.contains(text), "{got} {message}");
        }
    }
}
