//! UpdateCodeSigningConfig: what is not given stays.

use std::sync::Arc;

use lambd_model::clock;
use lambd_wire::{Error, input, output};

use crate::api::rules::signing;
use crate::api::{Call, FoundResource};
use crate::app::App;
use crate::resources::{CodeSigningConfig, Resource as _};

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    _call: &Call,
    found: FoundResource<CodeSigningConfig>,
    input: input::UpdateCodeSigningConfig,
) -> Result<output::UpdateCodeSigningConfig, Error> {
    let profiles = input.allowed_publishers.and_then(|publishers| publishers.signing_profile_version_arns);
    let policy = input.code_signing_policies.and_then(|policies| policies.untrusted_artifact_on_deployment);
    let (arn, description) = (found.id.arn(CodeSigningConfig::SEGMENT), input.description);
    let change = move |config: Option<&CodeSigningConfig>| {
        let before = config.ok_or_else(|| signing::config_missing(&arn))?;
        let after = CodeSigningConfig {
            description: description.unwrap_or_else(|| before.description.clone()),
            profiles: profiles.unwrap_or_else(|| before.profiles.clone()),
            untrusted: policy.unwrap_or_else(|| before.untrusted.clone()),
            tags: before.tags.clone(),
            last_modified_ms: clock::now_ms(),
        };
        Ok(Some(after))
    };
    let changed = app.resources.code_signing.change::<Error, _>(found.id.clone(), change).await?;
    let shown = changed.map(|config| signing::shown(&found.id, &config));
    Ok(output::UpdateCodeSigningConfig { code_signing_config: shown })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn only_what_is_given_changes() {
        let api = Api::new().await;
        let arn = api.signing_config("Warn").await;
        let path = format!("/2020-04-22/code-signing-configs/{arn}");
        let made = api.call("GET", &path, Value::Null).await.ok();
        let changed = api.call("PUT", &path, json!({ "Description": "new" })).await.ok();
        let before = &made["CodeSigningConfig"];
        let after = &changed["CodeSigningConfig"];
        assert_eq!(after["Description"], "new");
        for member in ["AllowedPublishers", "CodeSigningPolicies", "CodeSigningConfigId"] {
            assert_eq!(after[member], before[member], "{member}");
        }
        let policy = json!({ "CodeSigningPolicies": { "UntrustedArtifactOnDeployment": "Enforce" } });
        let changed = api.call("PUT", &path, policy.clone()).await.ok();
        assert_eq!(changed["CodeSigningConfig"]["CodeSigningPolicies"], policy["CodeSigningPolicies"]);
        assert_eq!(api.call("GET", &path, Value::Null).await.ok(), changed);
    }
}
