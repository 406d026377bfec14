//! Texts with `*`, `?` and variables such as `${aws:username}`.

use super::context::{ConditionContext, is_usable};

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// `?`: any one character.
    One,
    /// `*`: any characters, also none.
    Many,
    /// `${key}` or `${key, 'default'}`: the value of a condition key.
    Variable {
        key: String,
        default: Option<String>,
    },
}

/// A character of a pattern whose variables have been replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Exactly(char),
    One,
    Many,
}

/// A pattern. Characters that a variable brings in are no wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
}

impl Pattern {
    /// Reads a pattern. Without `variables`, `${` is an ordinary text. The error says what is wrong.
    pub(super) fn parse(text: &str, variables: bool) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let (part, length) = match next {
                '*' => (Some(Part::Many), 1),
                '?' => (Some(Part::One), 1),
                '$' if variables && rest.starts_with("${") => {
                    let end =
                        rest.find('}').ok_or_else(|| format!("`{text}` has a variable without an end"))?;
                    (variable(&rest[2..end], &mut literal)?, end + 1)
                }
                other => {
                    literal.push(other);
                    (None, other.len_utf8())
                }
            };
            if let Some(part) = part {
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                parts.push(part);
            }
            rest = &rest[length..];
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self { parts })
    }

    /// Whether the whole text fits. A pattern with a variable that has no value fits nothing.
    pub(super) fn fits(&self, text: &str, context: &ConditionContext) -> bool {
        self.tokens(context).is_some_and(|tokens| fits(&tokens, text))
    }

    /// As [`Self::fits`], without regard to the case of ASCII letters.
    pub(super) fn fits_any_case(&self, text: &str, context: &ConditionContext) -> bool {
        let Some(mut tokens) = self.tokens(context) else { return false };
        for token in &mut tokens {
            if let Token::Exactly(character) = token {
                character.make_ascii_lowercase();
            }
        }
        fits(&tokens, &text.to_ascii_lowercase())
    }

    /// As [`Self::fits`] for ARNs: a wildcard stays within one of the six parts, which are compared one by one.
    pub(super) fn fits_arn(&self, arn: &str, context: &ConditionContext) -> bool {
        let Some(tokens) = self.tokens(context) else { return false };
        let wanted: Vec<_> = tokens.splitn(ARN_PARTS, |token| *token == Token::Exactly(':')).collect();
        let given: Vec<_> = arn.splitn(ARN_PARTS, ':').collect();
        wanted.len() == given.len() && wanted.iter().zip(given).all(|(wanted, given)| fits(wanted, given))
    }

    /// Whether the text is exactly this one: wildcards have no meaning.
    pub(super) fn is(&self, text: &str, context: &ConditionContext, any_case: bool) -> bool {
        let mut plain = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => plain.push_str(literal),
                Part::One => plain.push('?'),
                Part::Many => plain.push('*'),
                Part::Variable { key, default } => match context.only(key).or(default.as_deref()) {
                    Some(value) => plain.push_str(value),
                    None => return false,
                },
            }
        }
        if any_case { plain.to_lowercase() == text.to_lowercase() } else { plain == text }
    }

    fn tokens(&self, context: &ConditionContext) -> Option<Vec<Token>> {
        let mut tokens = Vec::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => tokens.extend(literal.chars().map(Token::Exactly)),
                Part::One => tokens.push(Token::One),
                Part::Many => tokens.push(Token::Many),
                Part::Variable { key, default } => {
                    let value = context.only(key).or(default.as_deref())?;
                    tokens.extend(value.chars().map(Token::Exactly));
                }
            }
        }
        Some(tokens)
    }
}

/// Parts of an ARN; the last one may have further colons.
const ARN_PARTS: usize = 6;

/// Reads what is between the braces. `${*}`, `${?}` and `${$}` are these characters themselves.
fn variable(inside: &str, literal: &mut String) -> Result<Option<Part>, String> {
    if matches!(inside, "*" | "?" | "$") {
        literal.push_str(inside);
        return Ok(None);
    }
    let (key, default) = match inside.split_once(',') {
        Some((key, default)) => {
            let default = default.trim();
            let quoted = default.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
            let quoted =
                quoted.ok_or_else(|| format!("the default in `${{{inside}}}` is not in single quotes"))?;
            (key.trim(), Some(quoted.to_owned()))
        }
        None => (inside.trim(), None),
    };
    if !is_usable(key) {
        return Err(format!("the variable `${{{key}}}` is not known"));
    }
    Ok(Some(Part::Variable { key: key.to_owned(), default }))
}

/// Tries the shortest text for each `*`, and goes back to the last one only: its time is at most the product of the
/// two lengths.
fn fits(tokens: &[Token], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut token, mut at) = (0, 0);
    let mut last_many: Option<(usize, usize)> = None;
    while at < text.len() {
        match tokens.get(token) {
            Some(Token::Many) => {
                last_many = Some((token, at));
                token += 1;
            }
            Some(Token::One) => (token, at) = (token + 1, at + 1),
            Some(Token::Exactly(wanted)) if *wanted == text[at] => (token, at) = (token + 1, at + 1),
            _ => {
                let Some((many, from)) = last_many else { return false };
                last_many = Some((many, from + 1));
                (token, at) = (many + 1, from + 1);
            }
        }
    }
    tokens[token..].iter().all(|token| *token == Token::Many)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_fit_what_iam_says() {
        let none = ConditionContext::default();
        for (pattern, text, expect) in [
            ("*", "", true),
            ("*", "anything:at/all", true),
            ("", "", true),
            ("", "a", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a?", "aé", true),
            ("a*c", "ac", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("a*b*c", "a-b-b-c", true),
            ("*a", "aaab", false),
            ("lambda:*Function", "lambda:GetFunction", true),
            ("lambda:*Function", "lambda:GetFunctionConfiguration", false),
            ("arn:*:function:f", "arn:aws:lambda:r:1:function:f", true),
            ("A", "a", false),
        ] {
            assert_eq!(Pattern::parse(pattern, true).unwrap().fits(text, &none), expect, "{pattern} {text}");
        }
        assert!(Pattern::parse("lambda:get*", true).unwrap().fits_any_case("Lambda:GetX", &none));
    }

    /// A pattern that goes back for each `*` would take longer than anybody waits.
    #[test]
    fn many_wildcards_end_soon() {
        let pattern = Pattern::parse(&"a*".repeat(500), true).unwrap();
        assert!(!pattern.fits(&format!("{}b", "b".repeat(2000)), &ConditionContext::default()));
        let pattern = Pattern::parse(&format!("{}b", "*a".repeat(500)), true).unwrap();
        assert!(!pattern.fits(&"a".repeat(2000), &ConditionContext::default()));
    }

    #[test]
    fn a_wildcard_of_an_arn_stays_in_its_part() {
        let fits = |pattern: &str, arn: &str| {
            Pattern::parse(pattern, true).unwrap().fits_arn(arn, &ConditionContext::default())
        };
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:f:1";
        assert!(fits("arn:aws:lambda:*:*:function:*", arn));
        assert!(fits("arn:*:*:*:*:*", arn));
        assert!(!fits("arn:aws:*:function:f:1", arn));
        assert!(!fits("*", arn));
    }

    #[test]
    fn variables_are_replaced_by_plain_text() {
        let mut context = ConditionContext::default();
        context.add("aws:username", "a*b");
        let fits = |pattern: &str, text: &str| Pattern::parse(pattern, true).unwrap().fits(text, &context);
        assert!(fits("f-${aws:username}-*", "f-a*b-1"));
        assert!(!fits("f-${aws:username}-*", "f-axb-1"), "a value has no wildcards");
        assert!(!fits("${aws:userid}", ""), "a variable without a value fits nothing");
        assert!(fits("${aws:userid, 'none'}", "none"));
        assert!(fits("${*}${?}${$}{}", "*?${}"));
        assert!(Pattern::parse("${aws:username}", false).unwrap().fits("${aws:username}", &context));
        for (text, expect) in [
            ("${aws:username", "without an end"),
            ("${aws:nonsense}", "is not known"),
            ("${aws:userid, x}", "single quotes"),
        ] {
            assert!(Pattern::parse(text, true).unwrap_err().contains(expect), "{text}");
        }
    }
}
