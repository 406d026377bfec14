//! GetPolicy: the policy of a function, a version or an alias, as a text.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::policy;
use crate::api::rules::target_function::TargetFunction;
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    _input: input::GetPolicy,
) -> Result<output::GetPolicy, Error> {
    let (policy, revision_id) = policy::of(app, &call.place, &target)?;
    Ok(output::GetPolicy { policy: Some(policy), revision_id })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn each_qualifier_has_a_policy_of_its_own() {
        let api = Api::with_versions("f", 1).await;
        let path = "/2015-03-31/functions/f/policy";
        let absent = async |query: &str| {
            let (status, _, text) = api.call("GET", &format!("{path}{query}"), Value::Null).await.refused();
            assert_eq!(
                (status, text.as_str()),
                (404, "The resource you requested does not exist."),
                "{query}"
            );
        };
        absent("").await;
        let request = json!({ "StatementId": "a", "Action": "lambda:GetFunction", "Principal": "*" });
        api.call("POST", path, request).await.ok();
        let found = api.call("GET", path, Value::Null).await.ok();
        let policy: Value = serde_json::from_str(found["Policy"].as_str().unwrap()).unwrap();
        let statement = json!([{
            "Sid": "a", "Effect": "Allow", "Principal": "*", "Action": "lambda:GetFunction",
            "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f",
        }]);
        assert_eq!(policy, json!({ "Version": "2012-10-17", "Id": "default", "Statement": statement }));
        let function = api.call("GET", "/2015-03-31/functions/f/configuration", Value::Null).await.ok();
        assert_eq!(found["RevisionId"], function["RevisionId"]);
        absent("?Qualifier=1").await;
        absent("?Qualifier=77").await;
    }
}
