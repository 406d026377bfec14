//! What policies allow and deny, and which are refused.

use serde_json::{Value, json};

use super::*;

const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

fn context(keys: &[(&'static str, &str)]) -> ConditionContext {
    let mut context = ConditionContext::default();
    keys.iter().for_each(|(key, value)| context.add(*key, *value));
    context
}

fn policy(statements: &Value) -> IdentityPolicy {
    IdentityPolicy::parse(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string()).unwrap()
}

fn decide(statements: &Value, action: &str, resource: &str) -> PolicyDecision {
    policy(statements).decide(&AccessQuestion { action, resource, context: &ConditionContext::default() })
}

fn allow(action: &str, resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": action, "Resource": resource })
}

#[test]
fn nothing_is_allowed_that_no_statement_allows() {
    use PolicyDecision::{Allowed, NotAllowed};
    for (statement, action, resource, expect) in [
        (allow("*", "*"), "lambda:Invoke", ARN, Allowed),
        (allow("lambda:*", "*"), "sts:AssumeRole", ARN, NotAllowed),
        (allow("LAMBDA:getfunction", ARN), "lambda:GetFunction", ARN, Allowed),
        (allow("lambda:GetFunction", ARN), "lambda:GetFunctionConfiguration", ARN, NotAllowed),
        (
            json!({ "Effect": "Allow", "Action": ["lambda:A", "lambda:B"], "Resource": ["x:y", ARN] }),
            "lambda:B",
            ARN,
            Allowed,
        ),
        (allow("lambda:A", &format!("{ARN}:*")), "lambda:A", ARN, NotAllowed),
        (allow("lambda:A", ARN), "lambda:A", &format!("{ARN}:1"), NotAllowed),
        (allow("lambda:A", ARN), "lambda:A", &ARN.to_uppercase(), NotAllowed),
        (allow("lambda:List*", "*"), "lambda:ListFunctions", "*", Allowed),
        (allow("lambda:List*", ARN), "lambda:ListFunctions", "*", NotAllowed),
        (
            json!({ "Effect": "Allow", "NotAction": "lambda:Delete*", "Resource": "*" }),
            "lambda:A",
            ARN,
            Allowed,
        ),
        (
            json!({ "Effect": "Allow", "NotAction": "lambda:Delete*", "Resource": "*" }),
            "lambda:DeleteX",
            ARN,
            NotAllowed,
        ),
        (json!({ "Effect": "Allow", "Action": "lambda:A", "NotResource": ARN }), "lambda:A", ARN, NotAllowed),
        (json!({ "Effect": "Allow", "Action": "lambda:A", "NotResource": ARN }), "lambda:A", "x:y", Allowed),
        (json!([]), "lambda:A", ARN, NotAllowed),
    ] {
        assert_eq!(decide(&statement, action, resource), expect, "{statement} {action} {resource}");
    }
}

#[test]
fn a_deny_wins_wherever_it_stands() {
    let deny = json!({ "Effect": "Deny", "Action": "lambda:DeleteFunction", "Resource": "*" });
    let all = allow("*", "*");
    for statements in [json!([deny, all]), json!([all, deny])] {
        assert_eq!(decide(&statements, "lambda:DeleteFunction", ARN), PolicyDecision::Denied);
        assert_eq!(decide(&statements, "lambda:GetFunction", ARN), PolicyDecision::Allowed);
    }
}

/// Operator, key, values, and the value of the request (none: the key is absent), and whether the condition holds.
type ConditionCase = (&'static str, &'static str, Value, Option<&'static str>, bool);

fn conditions() -> Vec<ConditionCase> {
    let (name, ip, time, arn) = ("aws:username", "aws:SourceIp", "aws:CurrentTime", "aws:PrincipalArn");
    let (role, now) = ("arn:aws:iam::000000000000:role/a/b", "2026-11-28T00:00:00Z");
    vec![
        ("StringEquals", name, json!("ann"), Some("ann"), true),
        ("StringEquals", name, json!("ann"), Some("Ann"), false),
        ("StringEquals", name, json!("a*"), Some("ann"), false),
        ("StringEquals", name, json!(["bob", "ann"]), Some("ann"), true),
        ("StringEquals", name, json!("ann"), None, false),
        ("StringEqualsIfExists", name, json!("ann"), None, true),
        ("StringEqualsIfExists", name, json!("ann"), Some("bob"), false),
        ("StringEquals", "AWS:UserName", json!("ann"), Some("ann"), true),
        ("StringEqualsIgnoreCase", name, json!("ANN"), Some("ann"), true),
        ("StringNotEquals", name, json!(["bob", "ann"]), Some("ann"), false),
        ("StringNotEquals", name, json!(["bob", "ann"]), Some("eve"), true),
        ("StringNotEquals", name, json!("ann"), None, true),
        ("StringNotEqualsIgnoreCase", name, json!("ANN"), Some("ann"), false),
        ("StringLike", name, json!("a?n*"), Some("anna"), true),
        ("StringLike", name, json!("a?n"), Some("anna"), false),
        ("StringNotLike", name, json!("a*"), Some("ann"), false),
        ("StringNotLike", name, json!("a*"), Some("bob"), true),
        ("ArnLike", arn, json!("arn:aws:iam::*:role/a/*"), Some(role), true),
        ("ArnEquals", arn, json!("arn:aws:iam::*:role/a/*"), Some(role), true),
        ("ArnLike", arn, json!("arn:aws:*:role/a/b"), Some(role), false),
        ("ArnNotLike", arn, json!("arn:aws:iam::*:role/a/*"), Some(role), false),
        ("ArnNotEquals", arn, json!("arn:aws:iam::1:role/a"), Some(role), true),
        ("IpAddress", ip, json!("10.1.0.0/16"), Some("10.1.2.3"), true),
        ("IpAddress", ip, json!("10.1.0.0/16"), Some("10.2.2.3"), false),
        ("IpAddress", ip, json!("0.0.0.0/0"), Some("10.2.2.3"), true),
        ("IpAddress", ip, json!("10.2.2.3"), Some("::ffff:10.2.2.3"), true),
        ("IpAddress", ip, json!("2001:db8::/32"), Some("2001:db8::1"), true),
        ("IpAddress", ip, json!("2001:db8::/32"), Some("2001:db9::1"), false),
        ("IpAddress", ip, json!("::/0"), Some("10.0.0.1"), false),
        ("IpAddress", ip, json!("10.0.0.0/8"), Some("nonsense"), false),
        ("NotIpAddress", ip, json!("10.0.0.0/8"), Some("10.0.0.1"), false),
        ("NotIpAddress", ip, json!("10.0.0.0/8"), Some("11.0.0.1"), true),
        ("DateLessThan", time, json!("2026-11-28T00:00:01Z"), Some(now), true),
        ("DateLessThan", time, json!(now), Some(now), false),
        ("DateLessThanEquals", time, json!(now), Some(now), true),
        ("DateGreaterThan", time, json!("2026-11-27"), Some(now), true),
        ("DateGreaterThanEquals", time, json!("2026-11-29"), Some(now), false),
        ("DateEquals", time, json!("1795824000"), Some(now), true),
        ("DateNotEquals", time, json!(now), Some(now), false),
        ("NumericLessThan", "aws:EpochTime", json!(10), Some("9.5"), true),
        ("NumericLessThanEquals", "aws:EpochTime", json!("10"), Some("10"), true),
        ("NumericGreaterThan", "aws:EpochTime", json!(10), Some("10"), false),
        ("NumericGreaterThanEquals", "aws:EpochTime", json!(10), Some("10"), true),
        ("NumericEquals", "aws:EpochTime", json!("1e1"), Some("10"), true),
        ("NumericNotEquals", "aws:EpochTime", json!(10), Some("10"), false),
        ("Bool", "aws:ResourceTag/open", json!(true), Some("True"), true),
        ("Bool", "aws:ResourceTag/open", json!("false"), Some("true"), false),
        ("Null", name, json!("true"), None, true),
        ("Null", name, json!(true), Some("ann"), false),
        ("Null", name, json!("false"), Some("ann"), true),
        ("ForAnyValue:StringEquals", name, json!("ann"), None, false),
        ("ForAllValues:StringEquals", name, json!("ann"), None, true),
        ("ForAllValues:StringEquals", name, json!("ann"), Some("bob"), false),
        ("StringEquals", "s3:prefix", json!("x"), None, false),
    ]
}

#[test]
fn conditions_compare_as_iam_says() {
    for (operator, key, values, given, expect) in conditions() {
        let statement = json!({
            "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": { operator: { key: values } },
        });
        let known = match key {
            "AWS:UserName" => "aws:username",
            key => key,
        };
        let mut context = ConditionContext::default();
        given.into_iter().for_each(|value| context.add(known, value));
        let decision =
            policy(&statement).decide(&AccessQuestion { action: "a:b", resource: "*", context: &context });
        let holds = decision == PolicyDecision::Allowed;
        assert_eq!(holds, expect, "{operator} {key} {values} of {given:?}");
    }
}

#[test]
fn all_conditions_must_hold() {
    let statement = json!({
        "Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {
            "StringEquals": { "aws:username": "ann", "aws:RequestedRegion": ["us-east-1", "eu-west-1"] },
            "IpAddress": { "aws:SourceIp": "10.0.0.0/8" },
        },
    });
    let good = [("aws:username", "ann"), ("aws:RequestedRegion", "eu-west-1"), ("aws:SourceIp", "10.0.0.1")];
    let decide = |keys: &[(&'static str, &str)]| {
        let context = context(keys);
        policy(&statement).decide(&AccessQuestion { action: "a:b", resource: "*", context: &context })
    };
    assert_eq!(decide(&good), PolicyDecision::Allowed);
    for at in 0..good.len() {
        let mut wrong = good;
        wrong[at].1 = "192.0.2.1";
        assert_eq!(decide(&wrong), PolicyDecision::NotAllowed, "{}", good[at].0);
    }
}

#[test]
fn a_resource_may_have_variables() {
    let statement = allow("*", "arn:aws:lambda:*:*:function:${aws:username}-*");
    let context = context(&[("aws:username", "ann")]);
    let decide = |policy: &IdentityPolicy, name: &str| {
        let resource = format!("arn:aws:lambda:us-east-1:000000000000:function:{name}");
        policy.decide(&AccessQuestion { action: "a:b", resource: &resource, context: &context })
    };
    let new = policy(&statement);
    assert_eq!(decide(&new, "ann-1"), PolicyDecision::Allowed);
    assert_eq!(decide(&new, "bob-1"), PolicyDecision::NotAllowed);
    let old = IdentityPolicy::parse(&json!({ "Statement": statement }).to_string()).unwrap();
    assert_eq!(decide(&old, "ann-1"), PolicyDecision::NotAllowed, "the older version has no variables");
}

#[test]
fn what_is_not_understood_is_refused() {
    let with = |member: &str, value: Value| {
        let mut statement = allow("lambda:A", "*");
        statement[member] = value;
        json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
    };
    let condition =
        |operator: &str, key: &str, value: Value| with("Condition", json!({ operator: { key: value } }));
    let twice = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition":
        {"Bool": {"aws:ResourceTag/a": true}, "Bool": {"aws:ResourceTag/b": true}}}}"#;
    for (text, expect) in [
        (String::new(), "EOF"),
        ("[]".to_owned(), "invalid"),
        (json!({ "Version": "2012-10-17" }).to_string(), "missing field `Statement`"),
        (json!({ "Version": "2020-01-01", "Statement": [] }).to_string(), "`Version` is `2020-01-01`"),
        (json!({ "Statement": [], "statement": [] }).to_string(), "unknown field `statement`"),
        (with("Principal", json!("*")), ""),
        (with("Effect", json!("allow")), ""),
        (with("NotAction", json!("lambda:B")), "needs either `Action` or `NotAction`"),
        (with("Resource", json!([])), "`Resource` is empty"),
        (with("Action", json!("Invoke")), "which is neither `*` nor has a service"),
        (with("Resource", json!("arn:${aws:nonsense}")), "the variable `${aws:nonsense}` is not known"),
        (
            condition("StringEqual", "aws:username", json!("a")),
            "the condition operator `StringEqual` is not known",
        ),
        (condition("NullIfExists", "aws:username", json!(true)), "is not known"),
        (condition("ForSome:StringEquals", "aws:username", json!("a")), "is not known"),
        (
            condition("StringEquals", "aws:SecureTransport", json!("a")),
            "the condition key `aws:SecureTransport`",
        ),
        (
            condition("StringEquals", "lambda:Layer", json!("a")),
            "the condition key `lambda:Layer` is not known",
        ),
        (condition("StringEquals", "username", json!("a")), "is not known"),
        (condition("NumericEquals", "aws:EpochTime", json!("ten")), "`ten` is not a number"),
        (condition("NumericEquals", "aws:EpochTime", json!("NaN")), "`NaN` is not a number"),
        (condition("DateEquals", "aws:CurrentTime", json!("soon")), "`soon` is not a time"),
        (condition("Bool", "aws:ResourceTag/a", json!("yes")), "`yes` is not true or false"),
        (condition("IpAddress", "aws:SourceIp", json!("10.0.0.0/33")), "is not an address or a network"),
        (condition("StringEquals", "aws:username", json!({})), ""),
        (twice.to_owned(), ""),
    ] {
        let error = IdentityPolicy::parse(&text).map(|_| String::new()).unwrap_err().to_string();
        assert!(error.contains(expect), "{text}: {error}");
    }
}
