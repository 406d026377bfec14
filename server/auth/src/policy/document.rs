//! Reads a policy document. Everything that is not understood is refused.

use serde::Deserialize;

use super::IdentityPolicy;
use super::condition::Condition;
use super::forms::{Members, OneOrMore};
use super::pattern::Pattern;
use super::statement::{Effect, Patterns, PolicyStatement};

/// The version whose policies may have variables.
const WITH_VARIABLES: &str = "2012-10-17";
/// The older version, which is also meant where none is given.
const WITHOUT_VARIABLES: &str = "2008-10-17";

/// Why a text is no policy that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct PolicyDocumentError {
    problem: String,
}

/// A value of a condition as it may be spelled.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Flag(bool),
    Number(serde_json::Number),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Document {
    version: Option<String>,
    #[serde(rename = "Id")]
    _id: Option<String>,
    statement: OneOrMore<Statement>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Statement {
    sid: Option<String>,
    effect: Effect,
    action: Option<OneOrMore<String>>,
    not_action: Option<OneOrMore<String>>,
    resource: Option<OneOrMore<String>>,
    not_resource: Option<OneOrMore<String>>,
    condition: Option<Members<Members<OneOrMore<Scalar>>>>,
}

pub(super) fn parse(text: &str) -> Result<IdentityPolicy, PolicyDocumentError> {
    let wrong = |problem: String| PolicyDocumentError { problem };
    let document: Document = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let variables = match document.version.as_deref() {
        Some(WITH_VARIABLES) => true,
        Some(WITHOUT_VARIABLES) | None => false,
        Some(other) => return Err(wrong(format!("`Version` is `{other}`: must be {WITH_VARIABLES}"))),
    };
    let statements = document.statement.0.into_iter().enumerate();
    let statements = statements.map(|(at, statement)| {
        let name = statement.sid.clone().unwrap_or_else(|| format!("number {}", at + 1));
        self::statement(statement, variables).map_err(|problem| wrong(format!("statement {name}: {problem}")))
    });
    Ok(IdentityPolicy { statements: statements.collect::<Result<_, _>>()? })
}

fn statement(given: Statement, variables: bool) -> Result<PolicyStatement, String> {
    let actions = patterns("Action", given.action, given.not_action, false)?;
    let resources = patterns("Resource", given.resource, given.not_resource, variables)?;
    let mut conditions = Vec::new();
    for (operator, keys) in given.condition.into_iter().flat_map(|members| members.0) {
        for (key, values) in keys.0 {
            let values: Vec<_> = values.0.into_iter().map(Scalar::into_text).collect();
            conditions.push(Condition::parse(&operator, &key, &values, variables)?);
        }
    }
    Ok(PolicyStatement { effect: given.effect, actions, resources, conditions })
}

fn patterns(
    name: &str,
    any_of: Option<OneOrMore<String>>,
    none_of: Option<OneOrMore<String>>,
    variables: bool,
) -> Result<Patterns, String> {
    let (texts, wrap): (_, fn(Vec<Pattern>) -> Patterns) = match (any_of, none_of) {
        (Some(texts), None) => (texts.0, Patterns::AnyOf),
        (None, Some(texts)) => (texts.0, Patterns::NoneOf),
        _ => return Err(format!("needs either `{name}` or `Not{name}`")),
    };
    if texts.is_empty() {
        return Err(format!("`{name}` is empty"));
    }
    if let Some(text) = texts.iter().find(|text| *text != "*" && !text.contains(':')) {
        return Err(format!("`{name}` has `{text}`, which is neither `*` nor has a service"));
    }
    Ok(wrap(texts.iter().map(|text| Pattern::parse(text, variables)).collect::<Result<_, _>>()?))
}
