//! PutResourcePolicy: replaces the whole policy, which is the one of AddPermission and GetPolicy.

use std::sync::Arc;

use lambd_model::{Function, LATEST};
use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::target_function::{TargetFunction, invalid};
use crate::api::rules::{activation, errors, policy, policy_document};
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    input: input::PutResourcePolicy,
) -> Result<output::PutResourcePolicy, Error> {
    let arn = call.place.function_arn(&target.id.name);
    if target.qualifier.as_deref() == Some(LATEST) {
        return Err(invalid("We currently do not support adding policies for $LATEST."));
    }
    let text = input.policy.unwrap_or_default();
    let statements = policy_document::parse(&text, &target.arn(&call.place))?;
    let (name, revision) = (target.id.name.clone(), input.revision_id);
    let qualifier = target.qualifier.unwrap_or_else(|| LATEST.to_owned());
    let document = policy::document(&policy::resource(&call.place, &name, &qualifier), &statements);
    let bytes = document.len();
    let of = qualifier.clone();
    let change = move |function: &Function| {
        let current = function.revision(&of).ok_or_else(|| RegistryError::QualifierMissing(of.clone()))?;
        if revision.is_some_and(|revision| revision != current.to_string()) {
            return Err(RegistryError::PolicyRevision);
        }
        if bytes > policy::BYTES_MAX {
            return Err(RegistryError::PolicyLength(bytes));
        }
        Ok(function.with_policy(&of, statements))
    };
    let changed = app.registry.update(target.id, change).await.map_err(|error| errors::of(&error, &arn))?;
    activation::go_on(app, &changed);
    Ok(output::PutResourcePolicy {
        policy: Some(document),
        revision_id: changed.now.revision(&qualifier).map(|revision| revision.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

    fn policy(arn: &str) -> Value {
        let statement = json!({
            "Sid": "s3", "Effect": "Allow", "Principal": { "Service": "s3.amazonaws.com" },
            "Action": "lambda:InvokeFunction", "Resource": arn,
        });
        json!({ "Version": "2012-10-17", "Id": "default", "Statement": [statement] })
    }

    #[tokio::test]
    async fn a_policy_is_replaced_shown_and_removed_as_a_whole() {
        let api = Api::with_versions("f", 1).await;
        for arn in [ARN.to_owned(), format!("{ARN}:1")] {
            let path = format!("/2026-07-09/resource-policy/{arn}");
            assert_eq!(api.call("GET", &path, Value::Null).await.refused().0, 404);
            let permission =
                json!({ "StatementId": "old", "Action": "lambda:*", "Principal": "sns.amazonaws.com" });
            let query = if arn == ARN { "" } else { "?Qualifier=1" };
            let older = format!("/2015-03-31/functions/f/policy{query}");
            api.call("POST", &older, permission).await.ok();
            let put = json!({ "Policy": policy(&arn).to_string() });
            let answer = api.call("PUT", &path, put.clone()).await.ok();
            let shown: Value = serde_json::from_str(answer["Policy"].as_str().unwrap()).unwrap();
            assert_eq!(shown, policy(&arn));
            for path in [&path, &older] {
                assert_eq!(api.call("GET", path, Value::Null).await.ok(), answer, "{path}");
            }
            let mut wrong = put.clone();
            wrong["RevisionId"] = json!("11111111-2222-3333-4444-555555555555");
            assert_eq!(api.call("PUT", &path, wrong).await.refused().0, 412);
            let stale = format!("{path}?RevisionId=11111111-2222-3333-4444-555555555555");
            assert_eq!(api.call("DELETE", &stale, Value::Null).await.refused().0, 412);
            let current = format!("{path}?RevisionId={}", answer["RevisionId"].as_str().unwrap());
            assert_eq!(api.call("DELETE", &current, Value::Null).await.status, 204);
            let gone = api.call("DELETE", &path, Value::Null).await.refused();
            assert_eq!((gone.0, gone.2.as_str()), (404, "No policy is associated with the given resource."));
        }
    }

    #[tokio::test]
    async fn a_refused_policy_changes_nothing() {
        let api = Api::new().await;
        api.create("f").await;
        let path = format!("/2026-07-09/resource-policy/{ARN}");
        let mut public = policy(ARN);
        public["Statement"][0]["Principal"] = json!("*");
        let refused = api.call("PUT", &path, json!({ "Policy": public.to_string() })).await.refused();
        assert_eq!((refused.0, refused.1.as_str()), (400, "PublicPolicyException"));
        let latest = format!("{path}:$LATEST");
        let request = json!({ "Policy": policy(&format!("{ARN}:$LATEST")).to_string() });
        assert_eq!(api.call("PUT", &latest, request).await.refused().0, 400);
        assert_eq!(api.call("GET", &path, Value::Null).await.refused().0, 404);
        let missing = ARN.replace(":f", ":g").replace(":gunction", ":function");
        let request = json!({ "Policy": policy(&missing).to_string() });
        let path = format!("/2026-07-09/resource-policy/{missing}");
        let refused = api.call("PUT", &path, request).await.refused();
        assert_eq!((refused.0, refused.2), (404, format!("Function not found: {missing}")));
    }
}
