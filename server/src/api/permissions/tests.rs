//! What keys with a policy may do through the API.

use serde_json::{Value, json};

use crate::api::testing::*;

const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";
const PATH: &str = "/2015-03-31/functions/f";

fn policy(statements: &Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn allow(action: &str, resource: &str) -> Value {
    policy(&json!({ "Effect": "Allow", "Action": action, "Resource": resource }))
}

#[track_caller]
fn denied(answer: Answer, text: &str) {
    let refused = answer.refused();
    assert_eq!(refused, (403, "AccessDeniedException".to_owned(), text.to_owned()));
}

#[tokio::test]
async fn what_no_statement_allows_is_refused_with_the_text_of_aws() {
    let api = Api::new().await;
    api.create("f").await;
    let list = "/2015-03-31/functions";
    let only_read = allow("lambda:Get*", "*");
    assert_eq!(
        api.call_with_policy(&only_read, "GET", PATH, Value::Null).await.ok()["Configuration"]["FunctionArn"],
        ARN
    );
    denied(
        api.call_with_policy(&only_read, "POST", list, function("g")).await,
        "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: lambda:CreateFunction on resource: \
         arn:aws:lambda:us-east-1:000000000000:function:g because no identity-based policy allows the \
         lambda:CreateFunction action",
    );
    denied(
        api.call_with_policy(&only_read, "GET", list, Value::Null).await,
        "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: lambda:ListFunctions on resource: * \
         because no identity-based policy allows the lambda:ListFunctions action",
    );
    let all_but = policy(&json!([
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Effect": "Deny", "Action": "lambda:DeleteFunction", "Resource": ARN },
    ]));
    denied(
        api.call_with_policy(&all_but, "DELETE", PATH, Value::Null).await,
        "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: lambda:DeleteFunction on resource: \
         arn:aws:lambda:us-east-1:000000000000:function:f with an explicit deny in an identity-based policy",
    );
    api.call_with_policy(&all_but, "GET", PATH, Value::Null).await.ok();
}

/// One spelling of the ARN is asked for, however the request spells the name; and nothing tells what exists.
#[tokio::test]
async fn another_spelling_of_a_name_changes_nothing() {
    let api = Api::new().await;
    api.create("f").await;
    let deny = policy(&json!([
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Effect": "Deny", "Action": "*", "Resource": [ARN, format!("{ARN}:*")] },
    ]));
    for name in [
        "f",
        "function:f",
        "000000000000:function:f",
        "000000000000:f",
        ARN,
        "f:$LATEST",
        "arn:aws-cn:lambda:us-east-1:000000000000:function:f",
    ] {
        let path = format!("/2015-03-31/functions/{name}");
        let (status, code, _) = api.call_with_policy(&deny, "GET", &path, Value::Null).await.refused();
        assert_eq!((status, code.as_str()), (403, "AccessDeniedException"), "{name}");
    }
    for arn in [ARN, "arn:aws-cn:lambda:us-east-1:000000000000:function:f"] {
        let path = format!("/2017-03-31/tags/{arn}");
        assert_eq!(api.call_with_policy(&deny, "GET", &path, Value::Null).await.refused().0, 403, "{arn}");
    }
    let none = policy(&json!([]));
    for name in ["f", "absent"] {
        let path = format!("/2015-03-31/functions/{name}");
        assert_eq!(api.call_with_policy(&none, "GET", &path, Value::Null).await.refused().0, 403, "{name}");
    }
}

#[tokio::test]
async fn the_qualifier_is_part_of_the_resource() {
    let api = Api::with_versions("f", 1).await;
    let invoke = allow("lambda:InvokeFunction", &format!("{ARN}:1"));
    for (qualifier, status) in [("?Qualifier=1", 429), ("", 403), ("?Qualifier=$LATEST", 403)] {
        let reserve = json!({ "ReservedConcurrentExecutions": 0 });
        api.call("PUT", "/2017-10-31/functions/f/concurrency", reserve).await.ok();
        let path = format!("{PATH}/invocations{qualifier}");
        assert_eq!(
            api.call_with_policy(&invoke, "POST", &path, json!({})).await.refused().0,
            status,
            "{qualifier}"
        );
    }
}

#[tokio::test]
async fn conditions_see_the_request_and_the_function_s_tags() {
    let api = Api::new().await;
    api.create("f").await;
    api.call("POST", &format!("/2017-03-31/tags/{ARN}"), json!({ "Tags": { "team": "a" } })).await.ok();
    let with = |condition: Value| {
        policy(&json!({ "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition }))
    };
    for (condition, is_allowed) in [
        (json!({ "StringEquals": { "aws:ResourceTag/team": "a" } }), true),
        (json!({ "StringEquals": { "aws:ResourceTag/team": "b" } }), false),
        (json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } }), true),
        (json!({ "IpAddress": { "aws:SourceIp": "192.0.2.0/24" } }), false),
        (json!({ "StringEquals": { "aws:RequestedRegion": "us-east-1" } }), true),
        (json!({ "StringEquals": { "aws:username": "bob" } }), false),
        (json!({ "ArnLike": { "aws:PrincipalArn": "arn:aws:iam::*:user/ann" } }), true),
        (json!({ "DateGreaterThan": { "aws:CurrentTime": "2020-01-01T00:00:00Z" } }), true),
        (json!({ "DateLessThan": { "aws:CurrentTime": "2020-01-01T00:00:00Z" } }), false),
        (json!({ "StringEquals": { "aws:ResourceAccount": "${aws:PrincipalAccount}" } }), true),
    ] {
        let answer = api.call_with_policy(&with(condition.clone()), "GET", PATH, Value::Null).await;
        assert_eq!(answer.status == 200, is_allowed, "{condition}: {}", answer.body);
    }
}

/// Otherwise whoever may create a function could act as any role.
#[tokio::test]
async fn a_role_must_be_passed() {
    let api = Api::new().await;
    let create = policy(&json!([
        { "Effect": "Allow", "Action": "lambda:*", "Resource": "*" },
        { "Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::000000000000:role/r",
          "Condition": { "StringEquals": { "iam:PassedToService": "lambda.amazonaws.com" } } },
    ]));
    let list = "/2015-03-31/functions";
    api.call_with_policy(&create, "POST", list, function("f")).await.ok();
    api.settled("f").await;
    let admin = "arn:aws:iam::000000000000:role/admin";
    let text = "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: iam:PassRole on resource: \
                arn:aws:iam::000000000000:role/admin because no identity-based policy allows the iam:PassRole action";
    let mut other = function("g");
    other["Role"] = json!(admin);
    denied(api.call_with_policy(&create, "POST", list, other).await, text);
    let mut foreign = function("g");
    foreign["Role"] = json!("arn:aws:iam::111111111111:role/r");
    denied(
        api.call_with_policy(&create, "POST", list, foreign).await,
        "Cross-account pass role is not allowed.",
    );
    let update =
        |body: Value| api.call_with_policy(&create, "PUT", "/2015-03-31/functions/f/configuration", body);
    denied(update(json!({ "Role": admin })).await, text);
    update(json!({ "Description": "d" })).await.ok();
}

#[tokio::test]
async fn a_policy_of_the_function_can_name_a_user() {
    let api = Api::new().await;
    api.create("f").await;
    let reserve = json!({ "ReservedConcurrentExecutions": 0 });
    api.call("PUT", "/2017-10-31/functions/f/concurrency", reserve).await.ok();
    let nothing = policy(&json!([]));
    let deny = policy(&json!({ "Effect": "Deny", "Action": "lambda:InvokeFunction", "Resource": "*" }));
    let invoke = async |policy: &Value| {
        api.call_with_policy(policy, "POST", &format!("{PATH}/invocations"), json!({})).await.refused().0
    };
    let permit = async |sid: &str, principal: &str| {
        let statement =
            json!({ "StatementId": sid, "Action": "lambda:InvokeFunction", "Principal": principal });
        assert_eq!(api.call("POST", &format!("{PATH}/policy"), statement).await.status, 201);
    };
    permit("account", "000000000000").await;
    permit("bob", "arn:aws:iam::000000000000:user/bob").await;
    assert_eq!(invoke(&nothing).await, 403, "the account leaves it to the policies of its users");
    permit("ann", "arn:aws:iam::000000000000:user/ann").await;
    assert_eq!(invoke(&nothing).await, 429, "it would run, if anything could");
    assert_eq!(invoke(&deny).await, 403);
}

#[tokio::test]
async fn a_policy_of_an_alias_gives_nothing_on_the_function() {
    let api = Api::with_versions("f", 1).await;
    api.call("POST", &format!("{PATH}/aliases"), json!({ "Name": "live", "FunctionVersion": "1" })).await.ok();
    let statement = json!({
        "StatementId": "ann", "Action": "lambda:*", "Principal": "arn:aws:iam::000000000000:user/ann",
    });
    api.call("POST", &format!("{PATH}/policy?Qualifier=live"), statement).await.ok();
    let nothing = policy(&json!([]));
    let code = json!({ "ZipFile": zip("two") });
    for (method, path, body) in [
        ("PUT", "code", code),
        ("PUT", "configuration", json!({ "Timeout": 9 })),
        ("GET", "aliases", Value::Null),
    ] {
        let path = format!("{PATH}:live/{path}");
        let (status, _, text) = api.call_with_policy(&nothing, method, &path, body).await.refused();
        assert!(status == 403 && text.contains(&format!("on resource: {ARN} because")), "{path} {text}");
    }
    api.call_with_policy(&nothing, "GET", &format!("{PATH}:live/configuration"), Value::Null).await.ok();
}
