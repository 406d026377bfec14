//! ListFunctionVersionsByCapacityProvider: every version that names the provider.

use std::sync::Arc;

use lambd_model::{Function, FunctionState, Version};
use lambd_wire::{Error, input, output, types};

use crate::api::rules::capacity;
use crate::api::rules::page::Page;
use crate::api::{Call, FoundResource};
use crate::app::App;
use crate::resources::{CapacityProvider, Resource as _};

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundResource<CapacityProvider>,
    input: input::ListFunctionVersionsByCapacityProvider,
) -> Result<output::ListFunctionVersionsByCapacityProvider, Error> {
    let page = Page::of(input.max_items, input.marker.as_deref())?;
    let arn = found.id.arn(CapacityProvider::SEGMENT);
    // A marker is `name:number` of the last version of its page, 0 for `$LATEST`: in the order of the list.
    let place_of = |function: &Function, version: &Version| {
        (function.id.name.clone(), version.qualifier.parse::<u64>().unwrap_or(0))
    };
    let after = page.after.as_deref().and_then(|after| {
        let (name, number) = after.rsplit_once(':')?;
        Some((name.to_owned(), number.parse::<u64>().ok()?))
    });
    let used = capacity::used_by(app, &call.place, &arn).into_iter();
    let rest = used.filter(|(function, version)| {
        after.as_ref().is_none_or(|after| place_of(function, version) > *after)
    });
    let (versions, next_marker) = page.cut(rest, |(function, version)| {
        let (name, number) = place_of(function, version);
        format!("{name}:{number}")
    });
    let versions = versions.into_iter().map(|(function, version)| {
        let pending = function.state == FunctionState::Pending;
        types::FunctionVersionsByCapacityProviderListItem {
            function_arn: Some(call.place.qualified_arn(&function.id.name, Some(&version.qualifier))),
            state: Some(if pending { "Pending" } else { "Active" }.to_owned()),
        }
    });
    Ok(output::ListFunctionVersionsByCapacityProvider {
        capacity_provider_arn: Some(arn),
        function_versions: Some(versions.collect()),
        next_marker,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn a_provider_knows_its_versions_and_stays_while_there_are_any() {
        let api = Api::new().await;
        let arn = "arn:aws:lambda:us-east-1:000000000000:capacity-provider:p";
        let on = json!({ "LambdaManagedInstancesCapacityProviderConfig": { "CapacityProviderArn": arn } });
        let mut request = function("f");
        request["CapacityProviderConfig"] = on;
        request["MemorySize"] = json!(2048);
        request["Publish"] = json!(true);
        let missing = api.call("POST", "/2015-03-31/functions", request.clone()).await.refused();
        assert_eq!((missing.0, missing.2), (404, format!("Capacity provider not found: {arn}")));
        let provider = json!({
            "CapacityProviderName": "p",
            "VpcConfig": { "SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"] },
            "PermissionsConfig": { "CapacityProviderOperatorRoleArn": "arn:aws:iam::000000000000:role/r" },
        });
        api.call("POST", "/2025-11-30/capacity-providers", provider).await.ok();
        api.call("POST", "/2015-03-31/functions", request).await.ok();
        api.settled("f").await;
        let path = "/2025-11-30/capacity-providers/p/function-versions";
        let page = api.call("GET", &format!("{path}?MaxItems=1"), Value::Null).await.ok();
        let function = "arn:aws:lambda:us-east-1:000000000000:function:f";
        let item = |qualifier: &str| json!([{ "FunctionArn": format!("{function}:{qualifier}"), "State": "Active" }]);
        assert_eq!(page["FunctionVersions"], item("$LATEST"));
        let marker = page["NextMarker"].as_str().unwrap();
        let rest = api.call("GET", &format!("{path}?Marker={marker}"), Value::Null).await.ok();
        assert_eq!((&rest["FunctionVersions"], &rest["NextMarker"]), (&item("1"), &Value::Null));
        let refused = api.call("DELETE", "/2025-11-30/capacity-providers/p", Value::Null).await.refused();
        assert_eq!(refused.0, 409);
    }
}
