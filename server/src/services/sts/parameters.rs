//! The parameters of a request, as an HTML form has them.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::StsError;

/// Names and values, decoded. Of a name that occurs twice the first one counts.
#[derive(Debug)]
pub(super) struct Parameters<'a>(Vec<(Cow<'a, str>, String)>);

impl<'a> Parameters<'a> {
    pub(super) fn parse(form: &'a str) -> Self {
        let pairs = form.split('&').filter(|pair| !pair.is_empty());
        let decoded = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode_str(name).decode_utf8_lossy(), decode(value))
        });
        Self(decoded.collect())
    }

    /// The value of a parameter; an empty one counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        (!value.is_empty()).then_some(value.as_str())
    }

    /// Whether a parameter of this name, or a member of its list, is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known.split('.').next() == Some(name))
    }

    /// A parameter that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, StsError> {
        self.get(name)
            .ok_or_else(|| refused(&format!("Value null at '{}'", member(name)), "Member must not be null"))
    }

    /// `DurationSeconds` within these bounds.
    pub(super) fn duration_s(&self, default: i64, min: i64, max: i64) -> Result<i64, StsError> {
        let name = "DurationSeconds";
        let Some(text) = self.get(name) else { return Ok(default) };
        let value: i64 =
            text.parse().map_err(|_| StsError::invalid(format!("{text} is not a number of seconds")))?;
        let at = format!("Value '{value}' at '{}'", member(name));
        match value {
            value if value < min => {
                Err(refused(&at, &format!("Member must have value greater than or equal to {min}")))
            }
            value if value > max => {
                Err(refused(&at, &format!("Member must have value less than or equal to {max}")))
            }
            value => Ok(value),
        }
    }
}

/// The text of the service for a value that its model does not allow.
pub(super) fn refused(what: &str, constraint: &str) -> StsError {
    StsError::invalid(format!(
        "1 validation error detected: {what} failed to satisfy constraint: {constraint}"
    ))
}

/// The texts of the service call a parameter by its name with a small letter.
fn member(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

fn decode(value: &str) -> String {
    percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned()
}
