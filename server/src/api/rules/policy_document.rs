//! A whole resource policy as a caller writes it [fact:resource-policies]. What the stored statements cannot say is
//! refused by name, never dropped: a policy must not mean something else than its author wrote.

use std::collections::{BTreeMap, BTreeSet};

use lambd_model::{Principal, Statement};
use lambd_wire::{Error, ErrorCode};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::settings::refuse;
use super::target_function::invalid;

/// The versions of the policy language.
const VERSIONS: [&str; 2] = ["2012-10-17", "2008-10-17"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Document {
    version: String,
    #[serde(default)]
    #[expect(dead_code, reason = "a policy may have an id; it means nothing")]
    id: Option<String>,
    statement: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Given {
    sid: Option<String>,
    effect: String,
    principal: Value,
    action: OneOrMany<String>,
    resource: OneOrMany<String>,
    #[serde(default)]
    condition: BTreeMap<String, BTreeMap<String, OneOrMany<Value>>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    // First: any value is one value, a list, too.
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    /// The only one; several are refused.
    fn only(self, what: &str) -> Result<T, Error> {
        let mut all = self.all().into_iter();
        let first =
            all.next().ok_or_else(|| invalid(format!("The policy has a statement with no {what}.")))?;
        refuse(all.next().is_some(), &format!("A statement with more than one {what}"))?;
        Ok(first)
    }

    fn all(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// The statements of a policy of the resource with this ARN.
pub(in crate::api) fn parse(text: &str, arn: &str) -> Result<Vec<Statement>, Error> {
    let malformed = |error: serde_json::Error| invalid(format!("The policy is not valid: {error}"));
    let document: Document = serde_json::from_str(text).map_err(malformed)?;
    if !VERSIONS.contains(&document.version.as_str()) {
        return Err(invalid(format!("The policy has an unknown Version: {}", document.version)));
    }
    let given: Vec<Given> = match document.statement {
        Value::Array(_) => serde_json::from_value(document.statement).map_err(malformed)?,
        one => vec![serde_json::from_value(one).map_err(malformed)?],
    };
    if given.is_empty() {
        return Err(invalid("The policy has no statement."));
    }
    let statements: Vec<_> =
        given.into_iter().map(|given| statement(given, arn)).collect::<Result<_, _>>()?;
    let names: BTreeSet<_> = statements.iter().map(|statement| &statement.sid).collect();
    if names.len() < statements.len() {
        return Err(invalid("The policy has two statements with one Sid."));
    }
    Ok(statements)
}

fn statement(given: Given, arn: &str) -> Result<Statement, Error> {
    refuse(given.effect == "Deny", "A statement with Effect Deny")?;
    if given.effect != "Allow" {
        return Err(invalid(format!("The policy has an unknown Effect: {}", given.effect)));
    }
    let resource = given.resource.only("Resource")?;
    if resource != arn {
        return Err(invalid(format!(
            "The policy is of {arn} and must not name another Resource: {resource}"
        )));
    }
    let principal = principal(given.principal)?;
    let mut conditions: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (operator, keys) in given.condition {
        for (key, value) in keys {
            let value = match value.only("value of a condition key")? {
                Value::String(text) => text,
                other => other.to_string(),
            };
            conditions.entry(operator.clone()).or_default().insert(key, value);
        }
    }
    if principal == Principal::Anyone && conditions.is_empty() {
        return Err(Error::new(
            ErrorCode::PublicPolicyException,
            "The resource-based policy you tried to add to the Lambda resource would grant public access to it, \
             which isn't allowed.",
        ));
    }
    Ok(Statement {
        sid: given.sid.unwrap_or_else(|| Uuid::new_v4().to_string()),
        action: action(given.action.only("Action")?)?,
        principal,
        conditions,
    })
}

fn action(text: String) -> Result<String, Error> {
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
    let is_action =
        text == "*" || text.strip_prefix("lambda:").is_some_and(|name| name == "*" || is_name(name));
    if is_action { Ok(text) } else { Err(invalid(format!("The policy has an unknown Action: {text}"))) }
}

/// `"*"`, `{"AWS": …}` or `{"Service": …}`.
fn principal(given: Value) -> Result<Principal, Error> {
    let text = match given {
        Value::Object(forms) => {
            let mut forms = forms.into_iter();
            let (Some((form, value)), None) = (forms.next(), forms.next()) else {
                return Err(unknown_principal());
            };
            refuse(form != "AWS" && form != "Service", &format!("A Principal of the form {form}"))?;
            let value: OneOrMany<String> = serde_json::from_value(value).map_err(|_| unknown_principal())?;
            value.only("Principal")?
        }
        Value::String(text) if text == "*" => text,
        _ => return Err(unknown_principal()),
    };
    Principal::parse(&text).ok_or_else(unknown_principal)
}

fn unknown_principal() -> Error {
    invalid("The provided principal was invalid. Please check the principal and try again.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

    fn policy(statement: &Value) -> String {
        json!({ "Version": "2012-10-17", "Statement": statement }).to_string()
    }

    fn with(member: &str, value: Value) -> Value {
        let mut statement = json!({
            "Sid": "s", "Effect": "Allow", "Principal": { "Service": "s3.amazonaws.com" },
            "Action": "lambda:InvokeFunction", "Resource": ARN,
        });
        statement[member] = value;
        statement
    }

    #[test]
    fn one_and_a_list_of_one_are_the_same() {
        let conditions = json!({ "Bool": { "lambda:InvokedViaFunctionUrl": true } });
        let one = parse(&policy(&with("Condition", conditions)), ARN).unwrap();
        let mut list = with("Condition", json!({ "Bool": { "lambda:InvokedViaFunctionUrl": ["true"] } }));
        for (member, value) in [
            ("Action", json!(["lambda:InvokeFunction"])),
            ("Resource", json!([ARN])),
            ("Principal", json!({ "Service": ["s3.amazonaws.com"] })),
        ] {
            list[member] = value;
        }
        assert_eq!(parse(&policy(&json!([list])), ARN).unwrap(), one);
        let anonymous = parse(&policy(&with("Sid", Value::Null)), ARN).unwrap();
        assert_eq!(anonymous[0].sid.len(), 36, "a statement without a name gets one");
        let account = parse(&policy(&with("Principal", json!({ "AWS": "111111111111" }))), ARN).unwrap();
        assert_eq!(account[0].principal, Principal::Aws("arn:aws:iam::111111111111:root".to_owned()));
    }

    #[test]
    fn what_cannot_be_kept_is_refused_by_name() {
        for (member, value, text) in [
            ("Effect", json!("Deny"), "Effect Deny is not supported"),
            ("Effect", json!("Maybe"), "unknown Effect"),
            ("Action", json!(["lambda:InvokeFunction", "lambda:GetFunction"]), "more than one Action"),
            ("Action", json!("s3:GetObject"), "unknown Action"),
            ("Resource", json!(format!("{ARN}:1")), "must not name another Resource"),
            ("Principal", json!({ "Federated": "x" }), "form Federated is not supported"),
            ("Principal", json!("111111111111"), "principal was invalid"),
            ("Condition", json!({ "StringEquals": { "k": ["a", "b"] } }), "more than one value"),
            ("NotAction", json!("lambda:*"), "unknown field `NotAction`"),
        ] {
            let error = parse(&policy(&with(member, value)), ARN).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidParameterValueException);
            assert!(error.message.contains(text), "{}", error.message);
        }
        for (text, want) in [
            ("{}", "missing field `Version`"),
            ("no json", "The policy is not valid"),
            (&policy(&json!([])), "no statement"),
            (&policy(&json!([with("Sid", json!("s")), with("Sid", json!("s"))])), "two statements"),
            (r#"{"Version": "1", "Statement": []}"#, "unknown Version"),
        ] {
            let error = parse(text, ARN).unwrap_err();
            assert!(error.message.contains(want), "{}", error.message);
        }
        let public = parse(&policy(&with("Principal", json!({ "AWS": "*" }))), ARN).unwrap_err();
        assert_eq!(public.code, ErrorCode::PublicPolicyException);
    }
}
