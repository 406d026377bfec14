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

/// What conditions can ask about a call: keys with their values. A key that is not there fulfils no condition.
pub type Context<'a> = [(&'a str, &'a str)];

/// The context of a call that an identity makes itself [fact:policy-conditions]. No service makes it for a resource of an
/// account, it comes through no function URL, and no account here belongs to an organisation.
pub const DIRECT_CALL: &Context<'static> = &[("lambda:InvokedViaFunctionUrl", "false")];

impl Statement {
    /// Whether it lets every identity of an account do this in such a call.
    pub fn allows(&self, account: &str, action: &str, context: &Context<'_>) -> bool {
        self.is_about(action) && self.principal.is_account(account) && self.holds(context)
    }

    /// Whether it lets this identity, by its ARN, do this in such a call: it names the identity, or anybody.
    pub fn names(&self, entity_arn: &str, action: &str, context: &Context<'_>) -> bool {
        let is_named = match &self.principal {
            Principal::Anyone => true,
            Principal::Service(_) => false,
            Principal::Aws(arn) => arn == entity_arn,
        };
        self.is_about(action) && is_named && self.holds(context)
    }

    fn is_about(&self, action: &str) -> bool {
        self.action == action || self.action == "*" || self.action == "lambda:*"
    }

    /// Whether all its conditions hold.
    fn holds(&self, context: &Context<'_>) -> bool {
        let mut conditions =
            self.conditions.iter().flat_map(|(operator, keys)| keys.iter().map(move |pair| (operator, pair)));
        conditions.all(|(operator, (key, wanted))| {
            let known = context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
            known.is_some_and(|(_, value)| match operator.as_str() {
                "StringEquals" => value == wanted,
                "Bool" => value.eq_ignore_ascii_case(wanted),
                // `ArnLike` asks for the source alone, which no context has.
                _ => false,
            })
        })
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
            assert_eq!(statement.names(role, "lambda:InvokeFunction", DIRECT_CALL), expect, "{principal}");
            assert!(!statement.names(role, "lambda:GetFunction", DIRECT_CALL), "{principal}");
            let source = BTreeMap::from([("AWS:SourceArn".to_owned(), "arn:aws:s3:::b".to_owned())]);
            statement.conditions.insert("ArnLike".to_owned(), source);
            assert!(
                !statement.names(role, "lambda:InvokeFunction", DIRECT_CALL),
                "{principal}: with a condition"
            );
        }
    }

    #[test]
    fn what_is_allowed_depends_on_principal_action_and_conditions() {
        let allows = |principal: &str, action: &str, conditions: &[(&str, &str, &str)]| {
            let mut all: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
            for (operator, key, value) in conditions {
                all.entry((*operator).to_owned()).or_default().insert((*key).to_owned(), (*value).to_owned());
            }
            let principal = Principal::parse(principal).unwrap();
            let statement =
                Statement { sid: "s".to_owned(), action: action.to_owned(), principal, conditions: all };
            statement.allows("111111111111", "lambda:InvokeFunction", DIRECT_CALL)
        };
        assert!(allows("111111111111", "lambda:InvokeFunction", &[]));
        assert!(allows("*", "lambda:*", &[]) && allows("*", "*", &[]));
        assert!(!allows("222222222222", "lambda:InvokeFunction", &[]));
        assert!(!allows("arn:aws:iam::111111111111:role/r", "lambda:InvokeFunction", &[]));
        assert!(!allows("s3.amazonaws.com", "lambda:InvokeFunction", &[]));
        assert!(!allows("111111111111", "lambda:GetFunction", &[]));
        let direct = ("Bool", "lambda:InvokedViaFunctionUrl", "false");
        assert!(allows("*", "lambda:InvokeFunction", &[direct]));
        for condition in [
            ("Bool", "lambda:InvokedViaFunctionUrl", "true"),
            ("ArnLike", "AWS:SourceArn", "arn:aws:s3:::b"),
            ("StringEquals", "AWS:SourceAccount", "111111111111"),
            ("StringEquals", "aws:PrincipalOrgID", "o-1"),
            ("StringEquals", "lambda:FunctionUrlAuthType", "NONE"),
            ("Later", "lambda:InvokedViaFunctionUrl", "false"),
        ] {
            assert!(!allows("*", "lambda:InvokeFunction", &[condition]), "{condition:?}");
            assert!(!allows("*", "lambda:InvokeFunction", &[direct, condition]), "all must hold");
        }
    }
}
