//! PutProvisionedConcurrencyConfig: for a published version or an alias, within what the function has reserved
//! or its account has left.

use std::sync::Arc;

use lambd_model::{LATEST, ProvisionedConcurrency, clock};
use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::target_function::{TargetFunction, invalid};
use crate::api::rules::{errors, provisioned};
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    input: input::PutProvisionedConcurrencyConfig,
) -> Result<output::PutProvisionedConcurrencyConfig, Error> {
    let qualifier = target.qualifier_or_latest().to_owned();
    if qualifier == LATEST {
        return Err(invalid(
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
        ));
    }
    let executions = input.provisioned_concurrent_executions.and_then(|n| u32::try_from(n).ok());
    let put = ProvisionedConcurrency {
        executions: executions.unwrap_or_default(),
        last_modified_ms: clock::now_ms(),
    };
    let arn = call.place.function_arn(&target.id.name);
    let function = app.registry.provision(Arc::clone(&target.id), qualifier, Some(put)).await;
    let function = function.map_err(|error| match error {
        RegistryError::Missing => provisioned::absent(call, &target),
        error => errors::of(&error, &arn),
    })?;
    app.dispatcher.provision(&function);
    Ok(output::PutProvisionedConcurrencyConfig {
        requested_provisioned_concurrent_executions: input.provisioned_concurrent_executions,
        available_provisioned_concurrent_executions: Some(0),
        allocated_provisioned_concurrent_executions: Some(0),
        status: Some("IN_PROGRESS".to_owned()),
        status_reason: None,
        last_modified: Some(clock::last_modified_s(put.last_modified_ms)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:";
    const RESERVED: &str = "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function";

    async fn put(api: &Api, name: &str, qualifier: &str, executions: i32) -> Answer {
        let path = format!("/2019-09-30/functions/{name}/provisioned-concurrency?Qualifier={qualifier}");
        api.call("PUT", &path, json!({ "ProvisionedConcurrentExecutions": executions })).await
    }

    async fn alias(api: &Api, method: &str, name: &str, version: &str) -> Answer {
        let aliases = "/2015-03-31/functions/f/aliases";
        let path = if method == "PUT" { format!("{aliases}/{name}") } else { aliases.to_owned() };
        api.call(method, &path, json!({ "Name": name, "FunctionVersion": version })).await
    }

    #[tokio::test]
    async fn it_is_in_progress_at_first() {
        let api = Api::with_versions("f", 1).await;
        let put = put(&api, "f", "1", 2).await;
        assert_eq!(put.status, 202);
        let mut put = put.ok();
        let modified = put["LastModified"].take();
        assert!(modified.as_str().unwrap().ends_with("+0000"), "{modified}");
        let want = json!({
            "RequestedProvisionedConcurrentExecutions": 2, "AllocatedProvisionedConcurrentExecutions": 0,
            "AvailableProvisionedConcurrentExecutions": 0, "Status": "IN_PROGRESS", "LastModified": null,
        });
        assert_eq!(put, want);
    }

    #[tokio::test]
    async fn recorded_refusals() {
        let api = Api::with_versions("f", 1).await;
        let unpublished =
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions.";
        let below = "Specified ConcurrentExecutions for function decreases account's \
                     UnreservedConcurrentExecution below its minimum value of [100].";
        let above = "Specified ConcurrentExecutions for function is greater than account's unreserved \
                     concurrency [1000].";
        let zero = "1 validation error detected: Value '0' at 'provisionedConcurrentExecutions' failed to satisfy \
                    constraint: Member must have value greater than or equal to 1";
        for (name, qualifier, executions, status, text) in [
            ("doesnotexist", "noalias", 1, 404, format!("Cannot find alias arn: {ARN}doesnotexist:noalias")),
            ("doesnotexist", "1", 1, 404, format!("Function not found: {ARN}doesnotexist:1")),
            ("f", "1", 0, 400, zero.to_owned()),
            ("f", "$LATEST", 1, 400, unpublished.to_owned()),
            ("f", "noalias", 1, 404, format!("Cannot find alias arn: {ARN}f:noalias")),
            ("f", "10", 1, 404, format!("Function not found: {ARN}f:10")),
            ("f", "1", 1001, 400, above.to_owned()),
            ("f", "1", 1000, 400, below.to_owned()),
        ] {
            let (got, _, message) = put(&api, name, qualifier, executions).await.refused();
            assert_eq!((got, message), (status, text), "{name} {qualifier}");
        }
        put(&api, "f", "1", 900).await.ok();
    }

    #[tokio::test]
    async fn it_is_a_part_of_what_is_reserved_and_of_the_account() {
        let api = Api::with_versions("f", 2).await;
        let reserve = async |executions: i32| {
            let reserve = json!({ "ReservedConcurrentExecutions": executions });
            api.call("PUT", "/2017-10-31/functions/f/concurrency", reserve).await
        };
        let unreserved = async || {
            let settings = api.call("GET", "/2016-08-19/account-settings", Value::Null).await.ok();
            settings["AccountLimit"]["UnreservedConcurrentExecutions"].clone()
        };
        put(&api, "f", "1", 2).await.ok();
        assert_eq!(unreserved().await, 998);
        let text = " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned \
                    concurrency [2].";
        assert_eq!(reserve(1).await.refused().2, text);
        reserve(3).await.ok();
        assert_eq!(unreserved().await, 997);
        assert_eq!(put(&api, "f", "2", 2).await.refused().2, RESERVED);
        put(&api, "f", "2", 1).await.ok();
        assert_eq!(put(&api, "f", "1", 3).await.refused().2, RESERVED);
        put(&api, "f", "1", 1).await.ok();
    }

    #[tokio::test]
    async fn a_version_is_not_provisioned_by_itself_and_by_its_alias() {
        let api = Api::with_versions("f", 2).await;
        alias(&api, "POST", "live", "1").await.ok();
        alias(&api, "POST", "dev", "$LATEST").await.ok();
        put(&api, "f", "1", 1).await.ok();
        let provisioned = "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned \
                           version";
        let unpublished =
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions.";
        assert_eq!(put(&api, "f", "live", 1).await.refused().2, provisioned);
        assert_eq!(put(&api, "f", "dev", 1).await.refused().2, unpublished);
        alias(&api, "PUT", "live", "2").await.ok();
        put(&api, "f", "live", 1).await.ok();
        let pointed = put(&api, "f", "2", 1).await.refused();
        assert_eq!(
            (pointed.0, pointed.2.as_str()),
            (409, "Version is pointed by a Provisioned Concurrency alias")
        );
        assert_eq!(alias(&api, "PUT", "live", "1").await.refused().2, provisioned);
        assert_eq!(alias(&api, "PUT", "live", "$LATEST").await.refused().2, unpublished);
    }
}
