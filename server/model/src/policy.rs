//! Resource policies: who besides its account may do what with a function, a version or an alias.

use std::collections::BTreeMap;

/// Who a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// `*`: anybody.
    Anyone,
    /// A service by its host name, such as `s3.amazonaws.com`.
    Service(String),
    /// An account, a user or a role by its ARN; an account's ends with `:root`.
    Aws(String),
}

impl Principal {
    /// Reads what a request names: `*`, twelve digits, an ARN of an identity, or a service [fact:principal-forms].
    pub fn parse(text: &str) -> Option<Self> {
        let is_service = |text: &str| {
            [".amazonaws.com", ".amazonaws.com.cn", ".amazon.com"].iter().any(|end| {
                let name = text.strip_suffix(end).unwrap_or_default();
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
            })
        };
        let is_identity = |text: &str| {
            let account = text.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(':'));
            account.is_some_and(|(account, _)| crate::arn::is_account(account))
        };
        match text {
            "*" => Some(Self::Anyone),
            account if crate::arn::is_account(account) => {
                Some(Self::Aws(format!("arn:aws:iam::{account}:root")))
            }
            arn if is_identity(arn) => Some(Self::Aws(arn.to_owned())),
            service if is_service(service) => Some(Self::Service(service.to_owned())),
            _ => None,
        }
    }

    /// Whether the identities of this account are meant, all of them.
    pub fn is_account(&self, account: &str) -> bool {
        match self {
            Self::Anyone => true,
            Self::Service(_) => false,
            Self::Aws(arn) => *arn == format!("arn:aws:iam::{account}:root"),
        }
    }
}

/// One permission. The effect is always Allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its name within the policy.
    pub sid: String,
    /// Such as `lambda:InvokeFunction`, `lambda:*` or `*`.
    pub action: String,
    /// Whom it allows that.
    pub principal: Principal,
    /// Condition keys with their values, by operator: all must hold.
    pub conditions: BTreeMap<String, BTreeMap<String, String>>,
}

impl Statement {
    /// Whether it lets this identity, by its ARN, do this by a call of its own: it names the identity, or anybody.
    pub fn names(&self, entity_arn: &str, action: &str) -> bool {
        let is_named = match &self.principal {
            Principal::Anyone => true,
            Principal::Service(_) => false,
            Principal::Aws(arn) => arn == entity_arn,
        };
        self.is_about(action) && is_named && self.conditions.is_empty()
    }

    fn is_about(&self, action: &str) -> bool {
        self.action == action || self.action == "*" || self.action == "lambda:*"
    }

    /// Whether it lets every identity of an account do this by a call of its own. Conditions are about calls that a
    /// service or a function URL makes for somebody, which this is none of.
    pub fn allows(&self, account: &str, action: &str) -> bool {
        self.is_about(action) && self.principal.is_account(account) && self.conditions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_have_four_forms() {
        for (text, want) in [
            ("*", Some(Principal::Anyone)),
            ("111111111111", Some(Principal::Aws("arn:aws:iam::111111111111:root".to_owned()))),
            (
                "arn:aws:iam::111111111111:role/r",
                Some(Principal::Aws("arn:aws:iam::111111111111:role/r".to_owned())),
            ),
            ("s3.amazonaws.com", Some(Principal::Service("s3.amazonaws.com".to_owned()))),
            ("invalid.nonaws.com", None),
            (".amazonaws.com", None),
            ("arn:aws:iam::1:root", None),
            ("", None),
        ] {
            assert_eq!(Principal::parse(text), want, "{text}");
        }
    }

    #[test]
    fn a_statement_can_name_one_identity() {
        let role = "arn:aws:iam::111111111111:role/r";
        for (principal, expect) in [
            (role, true),
            ("*", true),
            ("111111111111", false),
            ("arn:aws:iam::111111111111:role/s", false),
            ("s3.amazonaws.com", false),
        ] {
            let mut statement = Statement {
                sid: "s".to_owned(),
                action: "lambda:InvokeFunction".to_owned(),
                principal: Principal::parse(principal).unwrap(),
                conditions: BTreeMap::new(),
            };
            assert_eq!(statement.names(role, "lambda:InvokeFunction"), expect, "{principal}");
            assert!(!statement.names(role, "lambda:GetFunction"), "{principal}");
            statement.conditions.insert("ArnLike".to_owned(), BTreeMap::new());
            assert!(!statement.names(role, "lambda:InvokeFunction"), "{principal}: with a condition");
        }
    }

    #[test]
    fn only_what_is_said_without_conditions_lets_an_account_call() {
        let allows =
            |principal: &str, action: &str, conditions: BTreeMap<String, BTreeMap<String, String>>| {
                let principal = Principal::parse(principal).unwrap();
                let statement =
                    Statement { sid: "s".to_owned(), action: action.to_owned(), principal, conditions };
                statement.allows("111111111111", "lambda:InvokeFunction")
            };
        let none = BTreeMap::new;
        assert!(allows("111111111111", "lambda:InvokeFunction", none()));
        assert!(allows("*", "lambda:*", none()) && allows("*", "*", none()));
        assert!(!allows("222222222222", "lambda:InvokeFunction", none()));
        assert!(!allows("arn:aws:iam::111111111111:role/r", "lambda:InvokeFunction", none()));
        assert!(!allows("s3.amazonaws.com", "lambda:InvokeFunction", none()));
        assert!(!allows("111111111111", "lambda:GetFunction", none()));
        let condition = BTreeMap::from([("AWS:SourceArn".to_owned(), "arn:aws:s3:::b".to_owned())]);
        assert!(!allows("*", "lambda:InvokeFunction", BTreeMap::from([("ArnLike".to_owned(), condition)])));
    }
}
