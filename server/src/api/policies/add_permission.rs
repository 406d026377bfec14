//! AddPermission: one more statement in the policy of a function, a version or an alias.

use std::collections::BTreeMap;
use std::sync::Arc;

use lambd_model::{Function, LATEST, Principal, Statement};
use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::target_function::{TargetFunction, invalid};
use crate::api::rules::{activation, errors, policy};
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    input: input::AddPermission,
) -> Result<output::AddPermission, Error> {
    let arn = call.place.function_arn(&target.id.name);
    if target.qualifier.as_deref() == Some(LATEST) {
        return Err(invalid("We currently do not support adding policies for $LATEST."));
    }
    let revision = input.revision_id.clone();
    let statement = statement(input)?;
    let qualifier = target.qualifier.clone().unwrap_or_else(|| LATEST.to_owned());
    let resource = policy::resource(&call.place, &target.id.name, &qualifier);
    let shown = policy::statement(&resource, &statement);
    let change = move |function: &Function| {
        let mut statements =
            function.policies.get(&qualifier).map(|known| known.to_vec()).unwrap_or_default();
        let current = function
            .revision(&qualifier)
            .ok_or_else(|| RegistryError::QualifierMissing(qualifier.clone()))?;
        if revision.is_some_and(|revision| revision != current.to_string()) {
            return Err(RegistryError::PolicyRevision);
        }
        if statements.iter().any(|known| known.sid == statement.sid) {
            return Err(RegistryError::StatementExists(statement.sid));
        }
        statements.push(statement);
        let bytes = policy::document(&resource, &statements).len();
        if bytes > policy::BYTES_MAX {
            return Err(RegistryError::PolicyLength(bytes));
        }
        Ok(function.with_policy(&qualifier, statements))
    };
    let changed = app.registry.update(target.id, change).await.map_err(|error| errors::of(&error, &arn))?;
    activation::go_on(app, &changed);
    Ok(output::AddPermission { statement: Some(shown.to_string()) })
}

fn statement(input: input::AddPermission) -> Result<Statement, Error> {
    let principal = input.principal.as_deref().and_then(Principal::parse).ok_or_else(|| {
        invalid("The provided principal was invalid. Please check the principal and try again.")
    })?;
    let mut conditions: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let flag = input.invoked_via_function_url.map(|flag| flag.to_string());
    for (operator, key, value) in [
        ("ArnLike", "AWS:SourceArn", input.source_arn),
        ("StringEquals", "AWS:SourceAccount", input.source_account),
        ("StringEquals", "aws:PrincipalOrgID", input.principal_org_id),
        ("StringEquals", "lambda:EventSourceToken", input.event_source_token),
        ("StringEquals", "lambda:FunctionUrlAuthType", input.function_url_auth_type),
        ("Bool", "lambda:InvokedViaFunctionUrl", flag),
    ] {
        if let Some(value) = value {
            conditions.entry(operator.to_owned()).or_default().insert(key.to_owned(), value);
        }
    }
    Ok(Statement {
        sid: input.statement_id.unwrap_or_default(),
        action: input.action.unwrap_or_default(),
        principal,
        conditions,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    fn request(sid: &str) -> Value {
        json!({
            "StatementId": sid, "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com",
            "SourceArn": "arn:aws:s3:::test-bucket", "SourceAccount": "111111111111",
        })
    }

    #[tokio::test]
    async fn a_statement_is_spelled_as_aws_spells_it() {
        let api = Api::with_versions("f", 1).await;
        let before = api.call("GET", "/2015-03-31/functions/f/configuration", Value::Null).await.ok();
        let added = api.call("POST", "/2015-03-31/functions/f/policy", request("s3")).await;
        assert_eq!(added.status, 201);
        let statement: Value = serde_json::from_str(added.ok()["Statement"].as_str().unwrap()).unwrap();
        let want = json!({
            "Sid": "s3", "Effect": "Allow", "Principal": { "Service": "s3.amazonaws.com" },
            "Action": "lambda:InvokeFunction",
            "Resource": "arn:aws:lambda:us-east-1:000000000000:function:f",
            "Condition": {
                "ArnLike": { "AWS:SourceArn": "arn:aws:s3:::test-bucket" },
                "StringEquals": { "AWS:SourceAccount": "111111111111" },
            },
        });
        assert_eq!(statement, want);
        let after = api.call("GET", "/2015-03-31/functions/f/configuration", Value::Null).await.ok();
        assert_ne!(after["RevisionId"], before["RevisionId"]);
        let account = json!({ "StatementId": "a", "Action": "lambda:*", "Principal": "111111111111" });
        let added = api.call("POST", "/2015-03-31/functions/f/policy?Qualifier=1", account).await.ok();
        let statement: Value = serde_json::from_str(added["Statement"].as_str().unwrap()).unwrap();
        assert_eq!(statement["Principal"], json!({ "AWS": "arn:aws:iam::111111111111:root" }));
        assert_eq!(statement["Resource"], "arn:aws:lambda:us-east-1:000000000000:function:f:1");
    }

    #[tokio::test]
    async fn recorded_refusals() {
        let api = Api::with_versions("f", 1).await;
        api.call("POST", "/2015-03-31/functions/f/policy", request("s3")).await.ok();
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
        let with = |member: &str, value: &str| {
            let mut request = request("new");
            request[member] = json!(value);
            request
        };
        for (path, request, status, text) in [
            ("f", request("s3"), 409, "The statement id (s3) provided already exists.".to_owned()),
            ("f", with("RevisionId", "wrong"), 412, "Call the GetPolicy API".to_owned()),
            (
                "f",
                with("Principal", "invalid.nonaws.com"),
                400,
                "The provided principal was invalid.".to_owned(),
            ),
            (
                "f:$LATEST",
                request("n"),
                400,
                "We currently do not support adding policies for $LATEST.".to_owned(),
            ),
            ("f:none", request("n"), 404, format!("Cannot find alias arn: {arn}:none")),
            ("f:42", request("n"), 404, format!("Function not found: {arn}:42")),
            (
                "g",
                request("n"),
                404,
                "Function not found: arn:aws:lambda:us-east-1:000000000000:function:g".to_owned(),
            ),
        ] {
            let path = format!("/2015-03-31/functions/{path}/policy");
            let (got, _, message) = api.call("POST", &path, request).await.refused();
            assert!(got == status && message.contains(&text), "{got} {message}");
        }
        let long = with("SourceArn", &format!("arn:aws:s3:::{}", "b".repeat(1000)));
        for n in 0..30 {
            let mut request = long.clone();
            request["StatementId"] = json!(format!("long{n}"));
            let answer = api.call("POST", "/2015-03-31/functions/f/policy", request).await;
            if answer.status != 201 {
                let (status, code, message) = answer.refused();
                assert_eq!((status, code.as_str()), (400, "PolicyLengthExceededException"));
                assert!(message.ends_with("is bigger than the limit (20480)."), "{message}");
                return;
            }
        }
        panic!("a policy has no limit");
    }

    /// An account that the policy names may invoke, and nothing else; the version that it is about alone.
    #[tokio::test]
    async fn a_policy_opens_a_version_to_an_account() {
        const OTHER: &str = "111111111111";
        let api = Api::with_versions("f", 2).await;
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
        let reserve = json!({ "ReservedConcurrentExecutions": 0 });
        api.call("PUT", "/2017-10-31/functions/f/concurrency", reserve).await.ok();
        let invoke = async |qualifier: &str| {
            let path = format!("/2015-03-31/functions/{arn}{qualifier}/invocations");
            let (status, _, message) = api.call_as(OTHER, REGION, "POST", &path, json!({})).await.refused();
            (status, message)
        };
        assert_eq!(invoke("").await, (403, format!("No permission on resource: {arn}")));
        let permit = json!({ "StatementId": "a", "Action": "lambda:InvokeFunction", "Principal": OTHER });
        api.call("POST", "/2015-03-31/functions/f/policy?Qualifier=1", permit).await.ok();
        assert_eq!(invoke(":1").await.0, 429, "it would run, if anything could");
        for (sid, via_url, status) in [("b", true, 403), ("c", false, 429)] {
            let permit = json!({
                "StatementId": sid, "Action": "lambda:InvokeFunction", "Principal": "*",
                "InvokedViaFunctionUrl": via_url,
            });
            api.call("POST", "/2015-03-31/functions/f/policy?Qualifier=2", permit).await.ok();
            assert_eq!(invoke(":2").await.0, status, "only through a function URL: {via_url}");
        }
        for qualifier in ["", ":$LATEST", ":7"] {
            assert_eq!(invoke(qualifier).await.0, 403, "{qualifier}");
        }
        let path = format!("/2015-03-31/functions/{arn}:1");
        assert_eq!(api.call_as(OTHER, REGION, "GET", &path, Value::Null).await.refused().0, 403);
        let other = format!("/2015-03-31/functions/{arn}:1/invocations");
        assert_eq!(api.call_as("222222222222", REGION, "POST", &other, json!({})).await.refused().0, 403);
    }
}
