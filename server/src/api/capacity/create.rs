//! CreateCapacityProvider: answers Pending; the provider becomes Active by itself.

use std::sync::Arc;

use lambd_model::{ResourceId, clock};
use lambd_wire::{Error, ErrorCode, input, output};

use crate::api::rules::settings::non_empty;
use crate::api::rules::{capacity, settle, tags};
use crate::api::{Call, permissions};
use crate::app::App;
use crate::resources::{CapacityProvider, ProviderState, Resource as _};

/// Most providers of one account in one region [fact:capacity-providers].
const PROVIDERS_MAX: usize = 1000;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    (): (),
    input: input::CreateCapacityProvider,
) -> Result<output::CreateCapacityProvider, Error> {
    let name = input.capacity_provider_name.unwrap_or_default();
    let own = ResourceId::parse_arn(&name, CapacityProvider::SEGMENT);
    let id = own.unwrap_or_else(|| call.place.resource(name.as_str()));
    if !id.is_in(&call.place) {
        return Err(crate::api::rules::target_function::denied(&name));
    }
    let vpc = input.vpc_config.unwrap_or_default();
    let role = input.permissions_config.and_then(|config| config.capacity_provider_operator_role_arn);
    permissions::pass_role(call, role.as_deref().unwrap_or_default())?;
    let provider = CapacityProvider {
        state: ProviderState::Pending,
        subnet_ids: vpc.subnet_ids.unwrap_or_default(),
        security_group_ids: vpc.security_group_ids.unwrap_or_default(),
        operator_role: role.unwrap_or_default(),
        requirements: input.instance_requirements.map(capacity::requirements),
        scaling: capacity::scaling(None, input.capacity_provider_scaling_config)?,
        kms_key_arn: non_empty(input.kms_key_arn),
        propagated_tags: input.propagate_tags.map(capacity::propagated),
        log: input.telemetry_config.and_then(capacity::log),
        tags: tags::given(input.tags)?,
        last_modified_ms: clock::now_ms(),
    };
    let shown = capacity::shown(&id, &provider);
    let (all, place) = (app.resources.capacity_providers.clone(), call.place.clone());
    let change = move |present: Option<&CapacityProvider>| {
        if present.is_some() {
            let text = format!("Capacity provider already exists: {name}");
            return Err(Error::new(ErrorCode::ResourceConflictException, text));
        }
        if all.list(&place, None, PROVIDERS_MAX).len() >= PROVIDERS_MAX {
            let text = format!("An account has at most {PROVIDERS_MAX} capacity providers.");
            return Err(Error::new(ErrorCode::CapacityProviderLimitExceededException, text));
        }
        Ok(Some(provider))
    };
    app.resources.capacity_providers.change(id.clone(), change).await?;
    settle::spawn::<CapacityProvider>(app, id);
    Ok(output::CreateCapacityProvider { capacity_provider: Some(shown) })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    const PATH: &str = "/2025-11-30/capacity-providers";

    fn request() -> Value {
        json!({
            "CapacityProviderName": "p",
            "VpcConfig": { "SubnetIds": ["subnet-0"], "SecurityGroupIds": ["sg-0"] },
            "PermissionsConfig": { "CapacityProviderOperatorRoleArn": "arn:aws:iam::000000000000:role/r" },
            "Tags": { "a": "b" },
        })
    }

    async fn active(api: &Api) -> Value {
        loop {
            let found = api.call("GET", &format!("{PATH}/p"), Value::Null).await.ok();
            if found["CapacityProvider"]["State"] == "Active" {
                return found;
            }
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_provider_lives_from_pending_to_gone() {
        let api = Api::new().await;
        let made = api.call("POST", PATH, request()).await;
        assert_eq!(made.status, 202);
        let made = made.ok()["CapacityProvider"].clone();
        let arn = "arn:aws:lambda:us-east-1:000000000000:capacity-provider:p";
        assert_eq!((&made["CapacityProviderArn"], &made["State"]), (&json!(arn), &json!("Pending")));
        let scaling = json!({ "MaxVCpuCount": 400, "ScalingMode": "Auto" });
        assert_eq!(made["CapacityProviderScalingConfig"], scaling);
        let found = active(&api).await;
        assert_eq!(found["CapacityProvider"]["VpcConfig"], request()["VpcConfig"]);
        assert_eq!(api.call("POST", PATH, request()).await.refused().0, 409);
        let more = json!({ "CapacityProviderScalingConfig": { "MaxVCpuCount": 10 } });
        let changed = api.call("PUT", &format!("{PATH}/{arn}"), more).await.ok();
        assert_eq!(changed["CapacityProvider"]["CapacityProviderScalingConfig"]["MaxVCpuCount"], 10);
        active(&api).await;
        let tags = api.call("GET", &format!("/2017-03-31/tags/{arn}"), Value::Null).await.ok();
        assert_eq!(tags, json!({ "Tags": { "a": "b" } }));
        let versions = api.call("GET", &format!("{PATH}/p/function-versions"), Value::Null).await.ok();
        assert_eq!(versions, json!({ "CapacityProviderArn": arn, "FunctionVersions": [] }));
        for (query, count) in [("", 1), ("?State=Active", 1), ("?State=Failed", 0)] {
            let listed = api.call("GET", &format!("{PATH}{query}"), Value::Null).await.ok();
            assert_eq!(listed["CapacityProviders"].as_array().unwrap().len(), count, "{query}");
        }
        let deleted = api.call("DELETE", &format!("{PATH}/p"), Value::Null).await;
        assert_eq!((deleted.status, &deleted.body["CapacityProvider"]["State"]), (202, &json!("Deleting")));
        while api.call("GET", &format!("{PATH}/p"), Value::Null).await.status == 200 {
            tokio::task::yield_now().await;
        }
        assert_eq!(api.call("DELETE", &format!("{PATH}/p"), Value::Null).await.refused().0, 404);
    }

    #[tokio::test]
    async fn policies_are_for_manual_scaling() {
        let api = Api::new().await;
        let policy = json!([{ "PredefinedMetricType": "LambdaCapacityProviderAverageCPUUtilization", "TargetValue": 50.5 }]);
        for (scaling, is_accepted) in [
            (json!({ "ScalingMode": "Manual" }), false),
            (json!({ "ScalingPolicies": policy }), false),
            (json!({ "ScalingMode": "Manual", "ScalingPolicies": policy }), true),
        ] {
            let mut request = request();
            request["CapacityProviderScalingConfig"] = scaling.clone();
            let answer = api.call("POST", PATH, request).await;
            assert_eq!(answer.status == 202, is_accepted, "{scaling} {}", answer.body);
        }
    }
}
