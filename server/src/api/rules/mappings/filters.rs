//! Patterns of filters: JSON objects whose leaves are lists of what matches [fact:filter-patterns].

use lambd_wire::{Error, types};
use serde_json::{Map, Value};

use crate::api::rules::target_function::invalid;

/// Most filters of one mapping [fact:filter-patterns].
const FILTERS_MAX: usize = 5;

/// The patterns as they were given; none if the criteria are empty.
pub(in crate::api) fn patterns(criteria: types::FilterCriteria) -> Result<Vec<String>, Error> {
    let filters = criteria.filters.unwrap_or_default();
    if filters.len() > FILTERS_MAX {
        return Err(invalid(format!("FilterCriteria must have at most {FILTERS_MAX} filters.")));
    }
    let pattern = |filter: types::Filter| {
        let text = filter.pattern.unwrap_or_default();
        let is_valid = serde_json::from_str::<Value>(&text).is_ok_and(|value| is_pattern(&value));
        if is_valid { Ok(text) } else { Err(invalid("Invalid filter pattern definition.")) }
    };
    filters.into_iter().map(pattern).collect()
}

fn is_pattern(value: &Value) -> bool {
    value.as_object().is_some_and(|members| !members.is_empty() && members.iter().all(is_member))
}

fn is_member((name, value): (&String, &Value)) -> bool {
    match value {
        Value::Array(any) if name == "$or" => any.len() > 1 && any.iter().all(is_pattern),
        Value::Array(leaves) => !leaves.is_empty() && leaves.iter().all(is_leaf),
        Value::Object(_) => is_pattern(value),
        _ => false,
    }
}

fn is_leaf(value: &Value) -> bool {
    match value {
        Value::Object(operator) => is_operator(operator),
        Value::Array(_) => false,
        _ => true,
    }
}

/// One member, which names what is compared and how.
fn is_operator(operator: &Map<String, Value>) -> bool {
    let mut members = operator.iter();
    let (Some((name, value)), None) = (members.next(), members.next()) else { return false };
    match name.as_str() {
        "exists" => value.is_boolean(),
        "prefix" | "suffix" => value.is_string() || is_ignoring_case(value),
        "equals-ignore-case" | "wildcard" | "cidr" => value.is_string(),
        "numeric" => is_range(value),
        "anything-but" => match value {
            Value::Array(list) => !list.is_empty() && list.iter().all(|v| v.is_string() || v.is_number()),
            Value::Object(inner) => {
                inner.len() == 1
                    && ["prefix", "suffix", "equals-ignore-case", "wildcard"]
                        .iter()
                        .any(|name| inner.get(*name).is_some_and(|v| v.is_string() || is_texts(v)))
            }
            _ => value.is_string() || value.is_number(),
        },
        _ => false,
    }
}

fn is_ignoring_case(value: &Value) -> bool {
    let operator = value.as_object();
    operator.is_some_and(|o| o.len() == 1 && o.get("equals-ignore-case").is_some_and(Value::is_string))
}

fn is_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_string))
}

/// `["=", 1]`, or one bound or two: `[">", 0, "<=", 5]`.
fn is_range(value: &Value) -> bool {
    let Some(list) = value.as_array() else { return false };
    let is_pair = |pair: &[Value]| match pair {
        [Value::String(sign), Value::Number(_)] => ["=", "<", "<=", ">", ">="].contains(&sign.as_str()),
        _ => false,
    };
    matches!(list.len(), 2 | 4) && list.chunks(2).all(is_pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(pattern: &str) -> Result<Vec<String>, Error> {
        let filter = types::Filter { pattern: Some(pattern.to_owned()) };
        patterns(types::FilterCriteria { filters: Some(vec![filter]) })
    }

    #[test]
    fn patterns_of_every_operator_are_kept_as_they_came() {
        for pattern in [
            r#"{"a": [null, "", "x", 1, true]}"#,
            r#"{"body": {"a": {"b": [{"exists": false}]}}}"#,
            r#"{"a": [{"prefix": "p"}, {"suffix": "s"}, {"equals-ignore-case": "X"}]}"#,
            r#"{"a": [{"anything-but": ["x", 1]}], "b": [{"anything-but": {"prefix": "p"}}]}"#,
            r#"{"a": [{"numeric": [">", 0, "<=", 5]}], "b": [{"numeric": ["=", 1]}]}"#,
            r#"{"$or": [{"a": ["x"]}, {"b": ["y"]}]}"#,
            "{\"a\":[\"\\u003e\"]}",
        ] {
            assert_eq!(accept(pattern).unwrap(), [pattern]);
        }
    }

    #[test]
    fn what_is_no_pattern_has_the_recorded_text() {
        for pattern in [
            "",
            "no json",
            "[]",
            "{}",
            r#"{"a": "x"}"#,
            r#"{"a": []}"#,
            r#"{"a": {}}"#,
            r#"{"a": [["x"]]}"#,
            r#"{"a": [{"unheard-of": "x"}]}"#,
            r#"{"a": [{"prefix": "p", "suffix": "s"}]}"#,
            r#"{"a": [{"numeric": [">"]}]}"#,
            r#"{"a": [{"numeric": ["~", 1]}]}"#,
            r#"{"$or": [{"a": ["x"]}]}"#,
        ] {
            assert_eq!(
                accept(pattern).unwrap_err().message,
                "Invalid filter pattern definition.",
                "{pattern}"
            );
        }
        let filter = types::Filter { pattern: Some(r#"{"a": ["x"]}"#.to_owned()) };
        let many = patterns(types::FilterCriteria { filters: Some(vec![filter; 6]) });
        assert_eq!(many.unwrap_err().message, "FilterCriteria must have at most 5 filters.");
    }
}
