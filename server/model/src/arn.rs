//! Names of functions: bare, partial ARN, full ARN, each with or without a qualifier.
//!
//! The forms and the check of name against qualifier are AWS's [fact:name-forms].

use crate::Place;

/// The qualifier that names the unpublished version.
pub const LATEST: &str = "$LATEST";

/// A function as a caller named it. Parts that the caller did not give are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionRef {
    /// Region given in the ARN.
    pub region: Option<String>,
    /// Account given in the full or partial ARN.
    pub account: Option<String>,
    /// The bare name.
    pub name: String,
    /// Version or alias that was given after the name.
    pub qualifier: Option<String>,
}

impl FunctionRef {
    /// The region that was given, if it is another one than that of `place`.
    pub fn foreign_region(&self, place: &Place) -> Option<&str> {
        self.region.as_deref().filter(|region| *region != &*place.region)
    }

    /// Whether an account was given that is another one than that of `place`.
    pub fn has_foreign_account(&self, place: &Place) -> bool {
        self.account.as_deref().is_some_and(|account| account != &*place.account)
    }

    /// Splits a name in any accepted form. Returns `None` for any other text; the wire validator has normally
    /// refused such a text before.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = strip_arn_prefix(text);
        let (region, rest) = take_part(rest, is_region);
        let (account, rest) = take_part(rest, is_account);
        let rest = rest.strip_prefix("function:").filter(|rest| begins_with_name(rest)).unwrap_or(rest);
        let (name, qualifier) = match rest.split_once(':') {
            Some((name, qualifier)) => (name, Some(qualifier)),
            None => (rest, None),
        };
        if !is_word(name, true) || qualifier.is_some_and(|q| !is_qualifier(q)) {
            return None;
        }
        Some(Self {
            region: region.map(str::to_owned),
            account: account.map(str::to_owned),
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
        })
    }
}

/// Removes `arn:aws:lambda:` of any partition (`aws`, `aws-cn`, `aws-us-gov` …).
fn strip_arn_prefix(text: &str) -> &str {
    text.strip_prefix("arn:aws")
        .and_then(|rest| rest.split_once(':'))
        .and_then(|(_, rest)| rest.strip_prefix("lambda:"))
        .unwrap_or(text)
}

/// A name comes before `$LATEST`: `function:$LATEST` is a function that is called `function`.
fn begins_with_name(rest: &str) -> bool {
    !rest.starts_with('$')
}

fn take_part(text: &str, accept: fn(&str) -> bool) -> (Option<&str>, &str) {
    match text.split_once(':') {
        Some((part, rest)) if accept(part) && begins_with_name(rest) => (Some(part), rest),
        _ => (None, text),
    }
}

/// Country, area and one digit, such as `us-east-1` and `us-gov-west-1`; `ab-1` is a function's name.
fn is_region(text: &str) -> bool {
    let is_lower = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let Some((rest, number)) = text.rsplit_once('-') else { return false };
    let Some((country, areas)) = rest.split_once('-') else { return false };
    (country.len() == 2 || country == "eusc")
        && is_lower(country)
        && areas.split('-').all(is_lower)
        && number.len() == 1
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// Whether this is the number of an account: twelve digits.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_word(text: &str, dots: bool) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_' || (dots && b == b'.'))
}

fn is_qualifier(text: &str) -> bool {
    is_word(text.strip_prefix('$').unwrap_or(text), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_name_is_read() {
        type Parts<'a> = (&'a str, &'a str, &'a str, &'a str);
        let cases: &[(&str, Option<Parts<'_>>)] = &[
            ("f", Some(("", "", "f", ""))),
            ("f:1", Some(("", "", "f", "1"))),
            ("f:$LATEST", Some(("", "", "f", "$LATEST"))),
            ("tf-3:live", Some(("", "", "tf-3", "live"))),
            ("us-east-1:f:live", Some(("us-east-1", "", "f", "live"))),
            ("us-iso-east-1:f", Some(("us-iso-east-1", "", "f", ""))),
            ("function:f", Some(("", "", "f", ""))),
            ("function:f:live", Some(("", "", "f", "live"))),
            ("000000000000:function:f", Some(("", "000000000000", "f", ""))),
            ("000000000000:f", Some(("", "000000000000", "f", ""))),
            (
                "arn:aws:lambda:us-east-1:000000000000:function:f",
                Some(("us-east-1", "000000000000", "f", "")),
            ),
            (
                "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f:v-1",
                Some(("us-gov-west-1", "123456789012", "f", "v-1")),
            ),
            // Recorded on AWS: an ARN that ends with `function` names a function of that name.
            (
                "arn:aws:lambda:us-east-1:123456789012:function",
                Some(("us-east-1", "123456789012", "function", "")),
            ),
            ("", None),
            ("f:1:2", None),
            ("a b", None),
            ("invalid:function:name", None),
        ];
        for (text, want) in cases {
            let got = FunctionRef::parse(text);
            let got = got.as_ref().map(|r| {
                let part = |p: &Option<String>| p.clone().unwrap_or_default();
                (part(&r.region), part(&r.account), r.name.clone(), part(&r.qualifier))
            });
            let want = want.map(|(r, a, n, q)| (r.to_owned(), a.to_owned(), n.to_owned(), q.to_owned()));
            assert_eq!(got, want, "{text}");
        }
    }
}
