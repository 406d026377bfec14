//! One condition of a statement: an operator, a key and values [fact:condition-operators].

use super::context::{ConditionContext, is_usable};
use super::operand::{Comparison, Operand, Relation};

/// How several values of one key count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantifier {
    /// No quantifier: the key has one value.
    Plain,
    /// `ForAnyValue:`, false without a value.
    Any,
    /// `ForAllValues:`, true without a value.
    All,
}

/// What a condition asks.
#[derive(Clone, Debug, PartialEq)]
enum Test {
    /// `Null`: whether the key is absent; any of the answers is right.
    Absent(Vec<Operand>),
    /// Everything else: any of the operands must fit, or none of them where it is negated.
    Value { comparison: Comparison, is_negated: bool, operands: Vec<Operand> },
}

/// A condition on one key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    key: String,
    quantifier: Quantifier,
    /// `…IfExists`: true if the key is absent.
    if_exists: bool,
    test: Test,
}

impl Condition {
    /// Reads a condition. The error says what is wrong.
    pub(super) fn parse(
        operator: &str,
        key: &str,
        values: &[String],
        variables: bool,
    ) -> Result<Self, String> {
        if !is_usable(key) {
            return Err(format!("the condition key `{key}` is not known"));
        }
        let unknown = || format!("the condition operator `{operator}` is not known");
        let (quantifier, name) = match operator.split_once(':') {
            None => (Quantifier::Plain, operator),
            Some(("ForAnyValue", name)) => (Quantifier::Any, name),
            Some(("ForAllValues", name)) => (Quantifier::All, name),
            Some(_) => return Err(unknown()),
        };
        let (name, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |name| (name, true));
        let operands = |comparison| -> Result<Vec<_>, String> {
            values.iter().map(|value| Operand::parse(comparison, value, variables)).collect()
        };
        let test = if name == "Null" {
            if if_exists || quantifier != Quantifier::Plain {
                return Err(unknown());
            }
            Test::Absent(operands(Comparison::Bool)?)
        } else {
            let (comparison, is_negated) = comparison(name).ok_or_else(unknown)?;
            Test::Value { comparison, is_negated, operands: operands(comparison)? }
        };
        Ok(Self { key: key.to_owned(), quantifier, if_exists, test })
    }

    /// Whether the condition holds for a request.
    pub(super) fn holds(&self, context: &ConditionContext) -> bool {
        let values = context.values(&self.key);
        let (comparison, is_negated, operands) = match &self.test {
            Test::Absent(answers) => return answers.contains(&Operand::Bool(values.is_none())),
            Test::Value { comparison, is_negated, operands } => (*comparison, *is_negated, operands),
        };
        let fits = |value: &String| {
            operands.iter().any(|operand| operand.fits(comparison, value, context)) != is_negated
        };
        match (values, self.quantifier) {
            (None, _) if self.if_exists => true,
            (None, Quantifier::All) => true,
            (None, Quantifier::Any) => false,
            (None, Quantifier::Plain) => is_negated,
            (Some(values), Quantifier::Any) => values.iter().any(fits),
            (Some(values), Quantifier::All | Quantifier::Plain) => values.iter().all(fits),
        }
    }
}

/// The comparison of an operator, and whether it is negated.
fn comparison(name: &str) -> Option<(Comparison, bool)> {
    use Comparison::{Address, Arn, Bool, Date, Like, Number, Text};
    Some(match name {
        "StringEquals" => (Text { any_case: false }, false),
        "StringNotEquals" => (Text { any_case: false }, true),
        "StringEqualsIgnoreCase" => (Text { any_case: true }, false),
        "StringNotEqualsIgnoreCase" => (Text { any_case: true }, true),
        "StringLike" => (Like, false),
        "StringNotLike" => (Like, true),
        "ArnEquals" | "ArnLike" => (Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Arn, true),
        "Bool" => (Bool, false),
        "IpAddress" => (Address, false),
        "NotIpAddress" => (Address, true),
        _ => {
            let (of, relation): (fn(Relation) -> Comparison, _) = match name.strip_prefix("Numeric") {
                Some(relation) => (Number, relation),
                None => (Date, name.strip_prefix("Date")?),
            };
            match relation {
                "Equals" => (of(Relation::Equal), false),
                "NotEquals" => (of(Relation::Equal), true),
                "LessThan" => (of(Relation::Less), false),
                "LessThanEquals" => (of(Relation::LessOrEqual), false),
                "GreaterThan" => (of(Relation::Greater), false),
                "GreaterThanEquals" => (of(Relation::GreaterOrEqual), false),
                _ => return None,
            }
        }
    })
}
