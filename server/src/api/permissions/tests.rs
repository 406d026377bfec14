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
    api.call("POST", &format!("{PATH}/aliases"), json!({ "Name": "live", "FunctionVersion": "1" }))
        .await
        .ok();
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

/// Everything but this resource, or but what this condition is about.
fn all_but(resource: &str, condition: &Value) -> Value {
    let mut deny = json!({ "Effect": "Deny", "Action": "*", "Resource": resource });
    if !condition.is_null() {
        deny["Condition"] = condition.clone();
    }
    policy(&json!([{ "Effect": "Allow", "Action": "*", "Resource": "*" }, deny]))
}

#[track_caller]
fn explicitly_denied(answer: Answer, what: &str) {
    let (status, _, text) = answer.refused();
    assert!(status == 403 && text.contains("with an explicit deny"), "{what}: {status} {text}");
}

#[tokio::test]
async fn a_deny_holds_for_every_spelling_of_a_layer_version() {
    let api = Api::with_layers("l", 1).await;
    let arn = "arn:aws:lambda:us-east-1:000000000000:layer:l";
    let deny = all_but(&format!("{arn}:1"), &Value::Null);
    for path in [
        "/2018-10-31/layers/l/versions/1".to_owned(),
        "/2018-10-31/layers/l/versions/01".to_owned(),
        "/2018-10-31/layers/l/versions/%2B1".to_owned(),
        format!("/2018-10-31/layers/{arn}/versions/1"),
        format!("/2018-10-31/layers?find=LayerVersion&Arn={arn}:1"),
        "/2018-10-31/layers?find=LayerVersion&Arn=arn:aws-cn:lambda:us-east-1:000000000000:layer:l:1"
            .to_owned(),
    ] {
        let answer = api.call_with_policy(&deny, "GET", &path, Value::Null).await;
        // A spelling that the wire does not take as a number is refused before.
        if answer.status != 400 {
            explicitly_denied(answer, &path);
        }
    }
    let odd = format!("/2018-10-31/layers?find=LayerVersion&Arn={arn}:01");
    assert_eq!(api.call("GET", &odd, Value::Null).await.refused().0, 404);
}

#[tokio::test]
async fn a_layer_of_another_account_or_region_is_asked_for_as_it_is() {
    let api = Api::new().await;
    let content = json!({ "Content": { "ZipFile": zip("one") } });
    let path = "/2018-10-31/layers/l/versions";
    let public = json!({ "StatementId": "all", "Action": "lambda:GetLayerVersion", "Principal": "*" });
    let (other, far) = ("111111111111", "eu-west-1");
    for (account, region) in [(other, REGION), (ACCOUNT, far)] {
        api.call_as(account, region, "POST", path, content.clone()).await.ok();
        let policy = format!("{path}/1/policy");
        api.call_as(account, region, "POST", &policy, public.clone()).await.ok();
    }
    let both = |arn: &str| {
        [
            format!("/2018-10-31/layers/{arn}/versions/1"),
            format!("/2018-10-31/layers?find=LayerVersion&Arn={arn}:1"),
        ]
    };
    let foreign = format!("arn:aws:lambda:{REGION}:{other}:layer:l");
    let deny = all_but(&format!("{foreign}:*"), &Value::Null);
    let deny_account = all_but("*", &json!({ "StringEquals": { "aws:ResourceAccount": other } }));
    for path in both(&foreign) {
        api.call("GET", &path, Value::Null).await.ok();
        for deny in [&deny, &deny_account] {
            explicitly_denied(api.call_with_policy(deny, "GET", &path, Value::Null).await, &path);
        }
    }
    let far = format!("arn:aws:lambda:{far}:{ACCOUNT}:layer:l");
    let deny = all_but(&format!("{far}:*"), &Value::Null);
    for path in both(&far) {
        assert_eq!(api.call("GET", &path, Value::Null).await.refused().0, 404, "{path}");
        explicitly_denied(api.call_with_policy(&deny, "GET", &path, Value::Null).await, &path);
    }
}

#[tokio::test]
async fn what_the_body_names_is_asked_for() {
    let api = Api::new().await;
    for name in ["f", "g"] {
        api.create(name).await;
    }
    let provider = |name: &str| {
        json!({
            "CapacityProviderName": name,
            "VpcConfig": { "SubnetIds": ["subnet-0"], "SecurityGroupIds": ["sg-0"] },
            "PermissionsConfig": { "CapacityProviderOperatorRoleArn": "arn:aws:iam::000000000000:role/r" },
        })
    };
    let providers = "/2025-11-30/capacity-providers";
    let arn = "arn:aws:lambda:us-east-1:000000000000:capacity-provider:p";
    let deny = all_but(arn, &Value::Null);
    for name in ["p", arn, "arn:aws-cn:lambda:us-east-1:000000000000:capacity-provider:p"] {
        explicitly_denied(api.call_with_policy(&deny, "POST", providers, provider(name)).await, name);
    }
    let no_role = allow("lambda:*", "*");
    let (status, _, text) = api.call_with_policy(&no_role, "POST", providers, provider("p")).await.refused();
    assert!(status == 403 && text.contains("iam:PassRole"), "{text}");

    let of_f = all_but("*", &json!({ "StringEquals": { "lambda:FunctionArn": ARN } }));
    let mappings = "/2015-03-31/event-source-mappings/";
    let request = |name: &str| json!({ "FunctionName": name, "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:q" });
    for name in ["f", "f:$LATEST", ARN] {
        explicitly_denied(api.call_with_policy(&of_f, "POST", mappings, request(name)).await, name);
    }
    let made = api.call_with_policy(&of_f, "POST", mappings, request("g")).await.ok();
    let path = format!("{mappings}{}", made["UUID"].as_str().unwrap());
    api.mapping_settled(&made).await;
    let to_f = json!({ "FunctionName": "f" });
    explicitly_denied(api.call_with_policy(&of_f, "PUT", &path, to_f.clone()).await, "the new function");
    let of_g = all_but(
        "*",
        &json!({ "StringEquals": { "lambda:FunctionArn": format!("{}g", &ARN[..ARN.len() - 1]) } }),
    );
    explicitly_denied(api.call_with_policy(&of_g, "PUT", &path, to_f).await, "the present function");
    explicitly_denied(
        api.call_with_policy(&of_g, "DELETE", &path, Value::Null).await,
        "the present function",
    );
}

/// By the ARN in any partition, by tags and by account.
#[tokio::test]
async fn resources_of_other_kinds_have_one_arn_and_their_tags() {
    let api = Api::new().await;
    api.create("f").await;
    let mapping = api.mapping("f", json!({ "Tags": { "team": "a" } })).await.ok();
    let mapping = mapping["EventSourceMappingArn"].as_str().unwrap().to_owned();
    let request = json!({
        "CapacityProviderName": "p", "Tags": { "team": "a" },
        "VpcConfig": { "SubnetIds": ["subnet-0"], "SecurityGroupIds": ["sg-0"] },
        "PermissionsConfig": { "CapacityProviderOperatorRoleArn": "arn:aws:iam::000000000000:role/r" },
    });
    let made = api.call("POST", "/2025-11-30/capacity-providers", request).await.ok();
    let provider = made["CapacityProvider"]["CapacityProviderArn"].as_str().unwrap().to_owned();
    let signing = api.signing_config("Warn").await;
    let tags = json!({ "Tags": { "team": "a" } });
    api.call("POST", &format!("/2017-03-31/tags/{signing}"), tags).await.ok();
    let by_tag = all_but("*", &json!({ "StringEquals": { "aws:ResourceTag/team": "a" } }));
    let by_account = all_but("*", &json!({ "StringEquals": { "aws:ResourceAccount": ACCOUNT } }));
    for arn in [mapping, provider, signing] {
        let elsewhere = arn.replacen("arn:aws:", "arn:aws-cn:", 1);
        let by_arn = all_but(&arn, &Value::Null);
        let mut paths = [&arn, &elsewhere].map(|arn| format!("/2017-03-31/tags/{arn}")).to_vec();
        if arn.contains(":code-signing-config:") {
            paths.push(format!("/2020-04-22/code-signing-configs/{elsewhere}"));
        }
        if arn.contains(":capacity-provider:") {
            paths.push(format!("/2025-11-30/capacity-providers/{elsewhere}"));
            paths.push("/2025-11-30/capacity-providers/p".to_owned());
        }
        for path in paths {
            for deny in [&by_arn, &by_tag, &by_account] {
                explicitly_denied(api.call_with_policy(deny, "GET", &path, Value::Null).await, &path);
            }
        }
    }
}

#[tokio::test]
async fn a_new_layer_needs_the_right_to_read_it() {
    let api = Api::with_layers("l", 2).await;
    api.create("f").await;
    let arn = |number: u64| format!("arn:aws:lambda:us-east-1:000000000000:layer:l:{number}");
    let deny = policy(&json!([
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Effect": "Deny", "Action": "lambda:GetLayerVersion", "Resource": arn(1) },
    ]));
    let mut create = function("g");
    create["Layers"] = json!([arn(1)]);
    let change = json!({ "Layers": [arn(1)] });
    let path = format!("{PATH}/configuration");
    explicitly_denied(api.call_with_policy(&deny, "POST", "/2015-03-31/functions", create).await, "create");
    explicitly_denied(api.call_with_policy(&deny, "PUT", &path, change.clone()).await, "update");
    api.call_with_policy(&deny, "PUT", &path, json!({ "Layers": [arn(2)] })).await.ok();
    api.settled("f").await;
    api.call("PUT", &path, change.clone()).await.ok();
    api.settled("f").await;
    api.call_with_policy(&deny, "PUT", &path, change).await.ok();
}

#[tokio::test]
async fn code_from_s3_needs_the_right_to_read_it() {
    let api = Api::new().await;
    let rest = policy(&json!([
        { "Effect": "Allow", "Action": ["lambda:*", "iam:PassRole"], "Resource": "*" },
        { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::mine/*" },
    ]));
    let list = "/2015-03-31/functions";
    for (bucket, version, status) in [("mine", None, 400), ("theirs", None, 403), ("mine", Some("v"), 403)] {
        let mut request = function("f");
        request["Code"] = json!({ "S3Bucket": bucket, "S3Key": "a/b.zip" });
        if let Some(version) = version {
            request["Code"]["S3ObjectVersion"] = json!(version);
        }
        let (got, _, text) = api.call_with_policy(&rest, "POST", list, request).await.refused();
        assert_eq!(got, status, "{bucket} {text}");
        assert_eq!(status == 403, text.contains("has been denied by S3"), "{text}");
    }
    let layer = json!({ "Content": { "S3Bucket": "theirs", "S3Key": "k" } });
    let answer = api.call_with_policy(&rest, "POST", "/2018-10-31/layers/l/versions", layer).await;
    assert_eq!(answer.refused().0, 403);
}
