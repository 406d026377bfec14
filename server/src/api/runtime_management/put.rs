//! PutRuntimeManagementConfig: which builds of its runtime a function or a version may get
//! [fact:runtime-management].
//!
//! One build of a runtime is installed at a time, and the operator replaces it: so a build can be named only if it
//! is that one.

use std::sync::Arc;

use lambd_model::{Function, RuntimeManagement, RuntimeUpdates};
use lambd_wire::{Error, input, output};

use crate::api::rules::target_function::{invalid, not_found};
use crate::api::rules::{errors, render, settings};
use crate::api::{Call, FoundFunction};
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    input: input::PutRuntimeManagementConfig,
) -> Result<output::PutRuntimeManagementConfig, Error> {
    let (function, target) = (&found.function, &found.target);
    let (arn, qualifier) = (target.arn(&call.place), target.qualifier_or_latest().to_owned());
    if function.aliases.contains_key(&qualifier) {
        return Err(not_found(&arn));
    }
    let updates = match input.update_runtime_on.as_deref() {
        Some("Manual") => RuntimeUpdates::Manual,
        Some("FunctionUpdate") => RuntimeUpdates::FunctionUpdate,
        _ => RuntimeUpdates::Auto,
    };
    let version_arn = settings::non_empty(input.runtime_version_arn);
    let installed = render::runtime_version_arn(app, &call.place, &found.version.configuration.runtime);
    match (updates, &version_arn) {
        (RuntimeUpdates::Manual, None) => {
            return Err(invalid("RuntimeVersionArn is required when UpdateRuntimeOn is Manual."));
        }
        (RuntimeUpdates::Manual, Some(wanted)) if *wanted != installed => {
            return Err(invalid(format!(
                "RuntimeVersionArn {wanted} is not installed. The installed runtime version is {installed}."
            )));
        }
        (RuntimeUpdates::Auto | RuntimeUpdates::FunctionUpdate, Some(_)) => {
            return Err(invalid("RuntimeVersionArn can only be set when UpdateRuntimeOn is Manual."));
        }
        _ => {}
    }
    let management = Arc::new(RuntimeManagement { updates, version_arn: version_arn.clone() });
    let change = move |function: &Function| {
        if !function.has_qualifier(&qualifier) {
            return Err(RegistryError::VersionMissing(qualifier));
        }
        Ok(function.with_attached(|attached| attached.runtime_management.insert(qualifier, management)))
    };
    let unqualified = call.place.function_arn(&target.id.name);
    app.registry
        .update(Arc::clone(&target.id), change)
        .await
        .map_err(|error| errors::of(&error, &unqualified))?;
    Ok(output::PutRuntimeManagementConfig {
        update_runtime_on: input.update_runtime_on,
        function_arn: Some(arn),
        runtime_version_arn: version_arn,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

    #[tokio::test]
    async fn only_the_installed_build_can_be_kept() {
        let api = Api::with_versions("f", 1).await;
        let path = "/2021-07-20/functions/f/runtime-management-config";
        let configuration = api.call("GET", "/2015-03-31/functions/f/configuration", Value::Null).await.ok();
        let build = &configuration["RuntimeVersionConfig"]["RuntimeVersionArn"];
        let manual = json!({ "UpdateRuntimeOn": "Manual", "RuntimeVersionArn": build });
        let put = api.call("PUT", &format!("{path}?Qualifier=1"), manual.clone()).await.ok();
        let want = json!({ "UpdateRuntimeOn": "Manual", "RuntimeVersionArn": build, "FunctionArn": format!("{ARN}:1") });
        assert_eq!(put, want);
        let put = api.call("PUT", path, json!({ "UpdateRuntimeOn": "FunctionUpdate" })).await.ok();
        assert_eq!(put, json!({ "UpdateRuntimeOn": "FunctionUpdate", "FunctionArn": ARN }));
        let other = format!("arn:aws:lambda:us-east-1::runtime:{}", "0".repeat(64));
        for (request, text) in [
            (json!({ "UpdateRuntimeOn": "Manual" }), "RuntimeVersionArn is required when"),
            (json!({ "UpdateRuntimeOn": "Auto", "RuntimeVersionArn": build }), "can only be set when"),
            (
                json!({ "UpdateRuntimeOn": "Manual", "RuntimeVersionArn": other }),
                "is not installed. The installed",
            ),
            (
                json!({ "UpdateRuntimeOn": "Never" }),
                "Member must satisfy enum value set: [Auto, Manual, FunctionUpdate]",
            ),
            (
                json!({}),
                "Value null at 'updateRuntimeOn' failed to satisfy constraint: Member must not be null",
            ),
        ] {
            let (status, _, message) = api.call("PUT", path, request).await.refused();
            assert!(status == 400 && message.contains(text), "{status} {message}");
        }
        let alias = json!({ "Name": "live", "FunctionVersion": "1" });
        api.call("POST", "/2015-03-31/functions/f/aliases", alias).await.ok();
        for qualifier in ["live", "7"] {
            let target = format!("{path}?Qualifier={qualifier}");
            let (status, _, text) =
                api.call("PUT", &target, json!({ "UpdateRuntimeOn": "Auto" })).await.refused();
            assert_eq!((status, text), (404, format!("Function not found: {ARN}:{qualifier}")));
        }
    }
}
