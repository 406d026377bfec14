//! RemovePermission: a statement less; the last one takes the policy with it.

use std::sync::Arc;

use lambd_model::{Function, LATEST};
use lambd_wire::{Error, ErrorCode, input, output};

use crate::api::Call;
use crate::api::rules::target_function::TargetFunction;
use crate::api::rules::{activation, errors};
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    input: input::RemovePermission,
) -> Result<output::RemovePermission, Error> {
    let arn = call.place.function_arn(&target.id.name);
    let (sid, revision) = (input.statement_id.unwrap_or_default(), input.revision_id);
    let qualifier = target.qualifier.clone().unwrap_or_else(|| LATEST.to_owned());
    let change = move |function: &Function| {
        let current = function
            .revision(&qualifier)
            .ok_or_else(|| RegistryError::QualifierMissing(qualifier.clone()))?;
        let mut statements = function.policies.get(&qualifier).ok_or(RegistryError::NoPolicy)?.to_vec();
        if revision.is_some_and(|revision| revision != current.to_string()) {
            return Err(RegistryError::PolicyRevision);
        }
        let before = statements.len();
        statements.retain(|statement| statement.sid != sid);
        if statements.len() == before {
            return Err(RegistryError::StatementMissing(sid));
        }
        Ok(function.with_policy(&qualifier, statements))
    };
    let changed = app.registry.update(target.id, change).await.map_err(|error| match error {
        RegistryError::Missing => {
            Error::new(ErrorCode::ResourceNotFoundException, format!("No policy found for: {arn}"))
        }
        other => errors::of(&other, &arn),
    })?;
    activation::go_on(app, &changed);
    Ok(output::RemovePermission::default())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    #[tokio::test]
    async fn the_last_statement_takes_the_policy_with_it() {
        let api = Api::with_versions("f", 1).await;
        let path = "/2015-03-31/functions/f/policy";
        let refused = async |path: &str| {
            let (status, _, text) = api.call("DELETE", path, Value::Null).await.refused();
            assert_eq!(status, 404);
            text
        };
        assert_eq!(refused(&format!("{path}/s")).await, "No policy is associated with the given resource.");
        for sid in ["a", "b"] {
            let request =
                json!({ "StatementId": sid, "Action": "lambda:*", "Principal": "sns.amazonaws.com" });
            api.call("POST", path, request).await.ok();
        }
        assert_eq!(refused(&format!("{path}/s")).await, "Statement s is not found in resource policy.");
        let alias = "Cannot find alias arn: arn:aws:lambda:us-east-1:000000000000:function:f:none";
        assert_eq!(refused(&format!("{path}/a?Qualifier=none")).await, alias);
        let function = "No policy found for: arn:aws:lambda:us-east-1:000000000000:function:g";
        assert_eq!(refused("/2015-03-31/functions/g/policy/a").await, function);
        for sid in ["a", "b"] {
            assert_eq!(api.call("DELETE", &format!("{path}/{sid}"), Value::Null).await.status, 204);
        }
        assert_eq!(api.call("GET", path, Value::Null).await.refused().0, 404);
    }
}
