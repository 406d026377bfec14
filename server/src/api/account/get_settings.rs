//! GetAccountSettings: the limits of the account [fact:account-concurrency] and how much of them is used.

use std::sync::Arc;

use lambd_wire::{Error, input, output, types};

use crate::api::Call;
use crate::app::App;
use crate::packages::PackageLimits;

/// Storage of all packages that AWS reports, bytes.
const TOTAL_CODE_BYTES: i64 = 80_530_636_800;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    (): (),
    _input: input::GetAccountSettings,
) -> Result<output::GetAccountSettings, Error> {
    let (usage, limits) = (app.registry.usage(&call.place.account), PackageLimits::default());
    Ok(output::GetAccountSettings {
        account_limit: Some(types::AccountLimit {
            total_code_size: Some(TOTAL_CODE_BYTES),
            code_size_unzipped: i64::try_from(limits.unzipped_bytes_max).ok(),
            code_size_zipped: i64::try_from(limits.zipped_bytes_max).ok(),
            concurrent_executions: i32::try_from(usage.concurrency).ok(),
            unreserved_concurrent_executions: i32::try_from(usage.unreserved_concurrency).ok(),
        }),
        account_usage: Some(types::AccountUsage {
            total_code_size: i64::try_from(usage.code_bytes + app.resources.layer_bytes(&call.place.account))
                .ok(),
            function_count: i64::try_from(usage.functions).ok(),
        }),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn an_account_sees_its_limits_and_its_own_usage() {
        let api = Api::new().await;
        api.create("f").await;
        api.call_as("111111111111", REGION, "POST", "/2015-03-31/functions", function("f")).await.ok();
        let reserve = json!({ "ReservedConcurrentExecutions": 100 });
        api.call("PUT", "/2017-10-31/functions/f/concurrency", reserve).await.ok();
        let settings = api.call("GET", "/2016-08-19/account-settings", Value::Null).await.ok();
        let limit = &settings["AccountLimit"];
        assert_eq!(
            (&limit["ConcurrentExecutions"], &limit["CodeSizeZipped"]),
            (&json!(1000), &json!(52_428_800))
        );
        assert_eq!(limit["UnreservedConcurrentExecutions"], 900);
        assert_eq!(settings["AccountUsage"]["FunctionCount"], 1);
        assert!(settings["AccountUsage"]["TotalCodeSize"].as_u64().unwrap() > 0);
    }
}
