//! Condition keys with their values for one request.

use std::borrow::Cow;

/// The keys that a request of this server can have [fact:condition-keys]. A policy that asks for another key of these
/// services is refused: a deny that depends on it would never apply.
const KEYS: [&str; 12] = [
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalType",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:SourceIp",
    "aws:userid",
    "aws:username",
    "iam:PassedToService",
    "lambda:FunctionArn",
];
/// Keys that end with the name of a tag.
const TAGGED: [&str; 1] = ["aws:ResourceTag/"];
/// Services whose keys must be known. Keys of others, such as `s3:prefix`, are accepted and never present.
const OWN: [&str; 4] = ["aws:", "lambda:", "iam:", "sts:"];

/// Whether a policy may ask for this key.
pub(super) fn is_usable(key: &str) -> bool {
    let begins = |prefix: &str| {
        key.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
            && key.len() > prefix.len()
    };
    if OWN.iter().any(|service| begins(service)) {
        return KEYS.iter().any(|known| known.eq_ignore_ascii_case(key))
            || TAGGED.iter().any(|tag| begins(tag));
    }
    key.split_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty())
}

/// The condition keys of one request. Names are compared without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConditionContext {
    keys: Vec<(Cow<'static, str>, Vec<String>)>,
}

impl ConditionContext {
    /// Adds a value of a key.
    pub fn add(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        let key = key.into();
        match self.keys.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&key)) {
            Some((_, values)) => values.push(value.into()),
            None => self.keys.push((key, vec![value.into()])),
        }
    }

    /// The values of a key; `None` if the request does not have it.
    pub(super) fn values(&self, key: &str) -> Option<&[String]> {
        self.keys
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(key))
            .map(|(_, values)| values.as_slice())
    }

    /// The value of a key that has exactly one.
    pub(super) fn only(&self, key: &str) -> Option<&str> {
        match self.values(key)? {
            [value] => Some(value),
            _ => None,
        }
    }
}
