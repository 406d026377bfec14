//! CreateCodeSigningConfig: the policy is Warn unless the caller gives another.

use std::sync::Arc;

use lambd_model::clock;
use lambd_wire::{Error, input, output};
use uuid::Uuid;

use crate::api::Call;
use crate::api::rules::{signing, tags};
use crate::app::App;
use crate::resources::CodeSigningConfig;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    (): (),
    input: input::CreateCodeSigningConfig,
) -> Result<output::CreateCodeSigningConfig, Error> {
    let policy = input.code_signing_policies.and_then(|policies| policies.untrusted_artifact_on_deployment);
    let config = CodeSigningConfig {
        description: input.description.unwrap_or_default(),
        profiles: input.allowed_publishers.and_then(|p| p.signing_profile_version_arns).unwrap_or_default(),
        untrusted: policy.unwrap_or_else(|| "Warn".to_owned()),
        tags: tags::given(input.tags)?,
        last_modified_ms: clock::now_ms(),
    };
    let shown_config = config.clone();
    let digits = Uuid::new_v4().simple().to_string();
    let id = call.place.resource(format!("csc-{}", &digits[..17]));
    app.resources.code_signing.change::<Error, _>(id.clone(), |_| Ok(Some(config))).await?;
    Ok(output::CreateCodeSigningConfig { code_signing_config: Some(signing::shown(&id, &shown_config)) })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    const PATH: &str = "/2020-04-22/code-signing-configs";

    #[tokio::test]
    async fn a_config_is_shown_as_it_was_made_to_its_own_account() {
        let api = Api::new().await;
        let profile = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij";
        let publishers = json!({ "SigningProfileVersionArns": [profile] });
        let request = json!({ "AllowedPublishers": publishers, "Tags": { "a": "b" } });
        let answer = api.call("POST", &format!("{PATH}/"), request).await;
        assert_eq!(answer.status, 201);
        let made = answer.ok();
        let config = &made["CodeSigningConfig"];
        let (arn, id) = (
            config["CodeSigningConfigArn"].as_str().unwrap(),
            config["CodeSigningConfigId"].as_str().unwrap(),
        );
        assert_eq!(arn, format!("arn:aws:lambda:us-east-1:000000000000:code-signing-config:{id}"));
        assert!(id.starts_with("csc-") && id.len() == 21, "{id}");
        assert_eq!(config["CodeSigningPolicies"], json!({ "UntrustedArtifactOnDeployment": "Warn" }));
        assert_eq!((&config["AllowedPublishers"], &config["Description"]), (&publishers, &json!("")));
        assert!(config["LastModified"].as_str().unwrap().ends_with("+0000"), "{config}");
        assert_eq!(api.call("GET", &format!("{PATH}/{arn}"), Value::Null).await.ok(), made);
        let tags = api.call("GET", &format!("/2017-03-31/tags/{arn}"), Value::Null).await.ok();
        assert_eq!(tags, json!({ "Tags": { "a": "b" } }));
        let other = api.call_as("111111111111", REGION, "GET", &format!("{PATH}/{arn}"), Value::Null).await;
        assert_eq!(other.refused().0, 404);
        let none = json!({ "AllowedPublishers": { "SigningProfileVersionArns": [] } });
        assert_eq!(api.call("POST", PATH, none).await.refused().1, "ValidationException");
    }
}
