//! GetProvisionedConcurrencyConfig.

use std::sync::Arc;

use lambd_model::LATEST;
use lambd_wire::{Error, ErrorCode, input, output};

use crate::api::Call;
use crate::api::rules::provisioned;
use crate::api::rules::target_function::{TargetFunction, invalid};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    _input: input::GetProvisionedConcurrencyConfig,
) -> Result<output::GetProvisionedConcurrencyConfig, Error> {
    let qualifier = target.qualifier_or_latest();
    if qualifier == LATEST {
        return Err(invalid(provisioned::NOT_PUBLISHED));
    }
    let function = provisioned::function(app, call, &target)?;
    let Some(found) = function.attached.provisioned.get(qualifier) else {
        return Err(Error::new(
            ErrorCode::ProvisionedConcurrencyConfigNotFoundException,
            "No Provisioned Concurrency Config found for this function",
        ));
    };
    let shown = provisioned::shown(app, call, &function, qualifier, found);
    Ok(output::GetProvisionedConcurrencyConfig {
        requested_provisioned_concurrent_executions: shown.requested_provisioned_concurrent_executions,
        available_provisioned_concurrent_executions: shown.available_provisioned_concurrent_executions,
        allocated_provisioned_concurrent_executions: shown.allocated_provisioned_concurrent_executions,
        status: shown.status,
        status_reason: shown.status_reason,
        last_modified: shown.last_modified,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::api::testing::*;

    #[tokio::test]
    async fn recorded_refusals() {
        let api = Api::with_versions("f", 1).await;
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:";
        for (name, qualifier, status, code, text) in [
            (
                "f",
                "1",
                404,
                "ProvisionedConcurrencyConfigNotFoundException",
                "No Provisioned Concurrency Config found for this function".to_owned(),
            ),
            ("f", "10", 404, "ResourceNotFoundException", format!("Function not found: {arn}f:10")),
            (
                "f",
                "noalias",
                404,
                "ResourceNotFoundException",
                format!("Cannot find alias arn: {arn}f:noalias"),
            ),
            (
                "g",
                "noalias",
                404,
                "ResourceNotFoundException",
                format!("Cannot find alias arn: {arn}g:noalias"),
            ),
            (
                "f",
                "$LATEST",
                400,
                "InvalidParameterValueException",
                "The function resource provided must be an alias or a published version.".to_owned(),
            ),
        ] {
            let path = format!("/2019-09-30/functions/{name}/provisioned-concurrency?Qualifier={qualifier}");
            let refused = api.call("GET", &path, Value::Null).await.refused();
            assert_eq!(refused, (status, code.to_owned(), text), "{name} {qualifier}");
        }
    }
}
