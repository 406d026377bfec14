//! ListProvisionedConcurrencyConfigs: those of all versions and aliases, by qualifier.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::rules::page::Page;
use crate::api::rules::provisioned;
use crate::api::{Call, FoundFunction};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    input: input::ListProvisionedConcurrencyConfigs,
) -> Result<output::ListProvisionedConcurrencyConfigs, Error> {
    let page = Page::of(input.max_items, input.marker.as_deref())?;
    let function = &found.function;
    let (all, next_marker) = page.of_settings(&function.attached.provisioned);
    let all = all
        .into_iter()
        .map(|(qualifier, provisioned)| provisioned::shown(app, call, function, qualifier, provisioned));
    Ok(output::ListProvisionedConcurrencyConfigs {
        provisioned_concurrency_configs: Some(all.collect()),
        next_marker,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn pages_follow_the_qualifiers() {
        let api = Api::with_versions("f", 2).await;
        let path = "/2019-09-30/functions/f/provisioned-concurrency";
        let list =
            async |query: &str| api.call("GET", &format!("{path}?List=ALL{query}"), Value::Null).await.ok();
        assert_eq!(list("").await, json!({ "ProvisionedConcurrencyConfigs": [] }));
        for qualifier in ["2", "1"] {
            let put = json!({ "ProvisionedConcurrentExecutions": 3 });
            api.call("PUT", &format!("{path}?Qualifier={qualifier}"), put).await.ok();
        }
        let first = list("&MaxItems=1").await;
        let rest = list(&format!("&Marker={}", first["NextMarker"].as_str().unwrap())).await;
        for (page, version) in [(first, "1"), (rest, "2")] {
            let one = &page["ProvisionedConcurrencyConfigs"][0];
            let arn = format!("arn:aws:lambda:us-east-1:000000000000:function:f:{version}");
            assert_eq!(
                (&one["FunctionArn"], &one["RequestedProvisionedConcurrentExecutions"]),
                (&json!(arn), &json!(3))
            );
        }
        let missing = api
            .call("GET", "/2019-09-30/functions/doesnotexist/provisioned-concurrency?List=ALL", Value::Null)
            .await
            .refused();
        let text = "Function not found: arn:aws:lambda:us-east-1:000000000000:function:doesnotexist";
        assert_eq!((missing.0, missing.2.as_str()), (404, text));
    }
}
