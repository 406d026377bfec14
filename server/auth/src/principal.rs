//! Who a caller is, and what it may do.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::session::base32;
use super::{AccessQuestion, ConditionContext, IdentityPolicy, PolicyDecision};

/// The caller behind an access key: a user, or a role that was assumed.
#[derive(Clone, Debug, PartialEq)]
pub struct CallerPrincipal {
    /// The account for which it acts, twelve digits. It has no rights in any other.
    pub account: Arc<str>,
    /// Its ARN: of the user, or of the role's session.
    pub arn: String,
    /// What policies call it: the ARN of the user or of the role [fact:condition-keys].
    pub entity_arn: String,
    /// Its id in AWS's form: `AIDA…`, or `AROA…:SESSION`.
    pub unique_id: String,
    /// The user's name; `None` for a role.
    pub user_name: Option<String>,
    /// Whether its keys are temporary.
    pub is_session: bool,
    /// Its own policy; `None` if it may do everything in its account.
    identity: Option<Arc<IdentityPolicy>>,
    /// A policy that narrows this session.
    session: Option<Arc<IdentityPolicy>>,
}

/// Why something is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessDenial {
    /// No statement of the principal's policy allows it. Its session would.
    NotAllowed,
    /// A statement of the principal's policy denies it.
    Denied,
    /// No statement of the session's policy allows it.
    NotAllowedBySession,
    /// A statement of the session's policy denies it.
    DeniedBySession,
}

impl AccessDenial {
    /// The end of AWS's text [fact:access-denied-text].
    pub fn reason(self, action: &str) -> String {
        match self {
            Self::NotAllowed => format!("because no identity-based policy allows the {action} action"),
            Self::Denied => "with an explicit deny in an identity-based policy".to_owned(),
            Self::NotAllowedBySession => format!("because no session policy allows the {action} action"),
            Self::DeniedBySession => "with an explicit deny in a session policy".to_owned(),
        }
    }
}

impl CallerPrincipal {
    /// A user of an account; without a policy it may do everything in the account.
    pub fn user(account: &str, name: &str, policy: Option<Arc<IdentityPolicy>>) -> Self {
        let arn = format!("arn:aws:iam::{account}:user/{name}");
        Self {
            account: account.into(),
            entity_arn: arn.clone(),
            unique_id: unique_id("AIDA", &arn),
            arn,
            user_name: Some(name.to_owned()),
            is_session: false,
            identity: policy,
            session: None,
        }
    }

    /// A role of an account, assumed under the name `session_name`. `role` is its name after any path.
    pub(super) fn role(
        account: &str,
        role: &RoleName<'_>,
        session_name: &str,
        identity: Option<Arc<IdentityPolicy>>,
        session: Option<Arc<IdentityPolicy>>,
    ) -> Self {
        let entity_arn = RoleName { account, ..*role }.arn();
        Self {
            account: account.into(),
            arn: format!("arn:aws:sts::{account}:assumed-role/{}/{session_name}", role.name),
            unique_id: format!("{}:{session_name}", unique_id("AROA", &entity_arn)),
            entity_arn,
            user_name: None,
            is_session: true,
            identity,
            session,
        }
    }

    /// The same user with temporary keys.
    pub(super) fn with_session(&self, session: Option<Arc<IdentityPolicy>>) -> Self {
        Self { is_session: true, session, ..self.clone() }
    }

    /// Whether it may do everything in its account, so that nothing needs to be asked.
    pub fn is_unrestricted(&self) -> bool {
        self.identity.is_none() && self.session.is_none()
    }

    /// Decides about an action on a resource.
    ///
    /// # Errors
    /// Why it is not allowed. A deny is reported before a missing permission, and what the session lacks before what
    /// the identity lacks: a resource policy can make up for the latter only.
    pub fn may(&self, action: &str, resource: &str, context: &ConditionContext) -> Result<(), AccessDenial> {
        let question = AccessQuestion { action, resource, context };
        let decide = |policy: &Option<Arc<IdentityPolicy>>| {
            policy.as_ref().map_or(PolicyDecision::Allowed, |policy| policy.decide(&question))
        };
        match (decide(&self.identity), decide(&self.session)) {
            (PolicyDecision::Denied, _) => Err(AccessDenial::Denied),
            (_, PolicyDecision::Denied) => Err(AccessDenial::DeniedBySession),
            (_, PolicyDecision::NotAllowed) => Err(AccessDenial::NotAllowedBySession),
            (PolicyDecision::NotAllowed, PolicyDecision::Allowed) => Err(AccessDenial::NotAllowed),
            (PolicyDecision::Allowed, PolicyDecision::Allowed) => Ok(()),
        }
    }
}

/// Longest name of a role.
const NAME_BYTES_MAX: usize = 64;
/// Longest path of a role, with the slash that begins it.
const PATH_BYTES_MAX: usize = 512;

/// The parts of a role's ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleName<'a> {
    /// The account in the ARN.
    pub account: &'a str,
    /// The path before the name: empty, or with a slash at its end.
    pub path: &'a str,
    /// The name.
    pub name: &'a str,
}

impl<'a> RoleName<'a> {
    /// Splits `arn:aws:iam::ACCOUNT:role/PATH/NAME`, in any partition.
    pub fn parse(arn: &'a str) -> Option<Self> {
        let rest = arn.strip_prefix("arn:aws")?.split_once(':')?.1.strip_prefix("iam::")?;
        let (account, rest) = rest.split_once(":role")?;
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        let at = rest.rfind('/').map_or(0, |at| at + 1);
        let (path, name) = rest.split_at(at);
        let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        (digits && !name.is_empty()).then_some(Self { account, path, name })
    }

    /// Whether IAM could have a role of this name and path [fact:role-names].
    pub fn is_well_formed(&self) -> bool {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
        self.name.len() <= NAME_BYTES_MAX
            && self.name.bytes().all(fits)
            && self.path.len() < PATH_BYTES_MAX
            && self.path.bytes().all(|byte| byte.is_ascii_graphic())
    }

    /// The one spelling of its ARN in which policies are asked about it.
    pub fn arn(&self) -> String {
        let Self { account, path, name } = self;
        format!("arn:aws:iam::{account}:role/{path}{name}")
    }
}

/// An id in AWS's form. It follows from the ARN, so that it is the same after a restart.
fn unique_id(prefix: &str, arn: &str) -> String {
    format!("{prefix}{}", base32(&Sha256::digest(arn)[..10]))
}

/// The id of a role as AWS shows it, without the name of a session.
pub fn role_id(principal: &CallerPrincipal) -> &str {
    principal.unique_id.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(effect: &str, action: &str) -> Arc<IdentityPolicy> {
        let text = format!(r#"{{"Statement":{{"Effect":"{effect}","Action":"{action}","Resource":"*"}}}}"#);
        Arc::new(IdentityPolicy::parse(&text).unwrap())
    }

    #[test]
    fn a_session_policy_narrows_and_never_widens() {
        let (all, a, none) = (policy("Allow", "*"), policy("Allow", "x:a"), policy("Deny", "x:a"));
        let role = RoleName::parse("arn:aws:iam::000000000000:role/r").unwrap();
        for (identity, session, expect) in [
            (None, None, Ok(())),
            (Some(&a), None, Ok(())),
            (None, Some(&a), Ok(())),
            (Some(&a), Some(&all), Ok(())),
            (Some(&none), Some(&all), Err(AccessDenial::Denied)),
            (Some(&all), Some(&none), Err(AccessDenial::DeniedBySession)),
            (Some(&policy("Allow", "x:b")), Some(&all), Err(AccessDenial::NotAllowed)),
            (Some(&all), Some(&policy("Allow", "x:b")), Err(AccessDenial::NotAllowedBySession)),
            (None, Some(&policy("Allow", "x:b")), Err(AccessDenial::NotAllowedBySession)),
            (
                Some(&policy("Allow", "x:b")),
                Some(&policy("Allow", "x:b")),
                Err(AccessDenial::NotAllowedBySession),
            ),
        ] {
            let caller =
                CallerPrincipal::role("000000000000", &role, "s", identity.cloned(), session.cloned());
            assert_eq!(
                caller.may("x:a", "*", &ConditionContext::default()),
                expect,
                "{identity:?} {session:?}"
            );
            assert_eq!(caller.is_unrestricted(), identity.is_none() && session.is_none());
        }
    }

    #[test]
    fn a_role_has_a_name_that_iam_allows() {
        let (name, path) = ("n".repeat(64), format!("{}/", "p".repeat(510)));
        for (path, name, is_allowed) in [
            ("", "a_+=,.@-Z9", true),
            (&*path, &*name, true),
            ("", &*format!("{name}n"), false),
            (&*format!("p{path}"), "n", false),
            ("a b/", "n", false),
            ("", "a*", false),
            ("", "a:b", false),
            ("", "ä", false),
        ] {
            let role = RoleName { account: "000000000000", path, name };
            assert_eq!(role.is_well_formed(), is_allowed, "{role:?}");
        }
    }

    #[test]
    fn principals_are_named_as_on_aws() {
        let user = CallerPrincipal::user("111111111111", "ann", None);
        assert_eq!(user.arn, "arn:aws:iam::111111111111:user/ann");
        assert!(user.unique_id.starts_with("AIDA") && user.unique_id.len() == 20, "{}", user.unique_id);
        let role = RoleName::parse("arn:aws:iam::222222222222:role/service-role/r").unwrap();
        assert_eq!(role, RoleName { account: "222222222222", path: "service-role/", name: "r" });
        let role = CallerPrincipal::role("111111111111", &role, "s", None, None);
        assert_eq!(role.arn, "arn:aws:sts::111111111111:assumed-role/r/s");
        assert_eq!(
            role.entity_arn, "arn:aws:iam::111111111111:role/service-role/r",
            "never another account's"
        );
        assert_eq!(role.unique_id, format!("{}:s", role_id(&role)));
        for arn in ["arn:aws-cn:iam::222222222222:role/a/r", "arn:aws:iam::222222222222:rolea/r"] {
            assert_eq!(RoleName::parse(arn).unwrap().arn(), "arn:aws:iam::222222222222:role/a/r");
        }
        for arn in [
            "",
            "r",
            "arn:aws:iam::1:role/r",
            "arn:aws:iam::111111111111:user/r",
            "arn:aws:iam::111111111111:role/",
        ] {
            assert_eq!(RoleName::parse(arn), None, "{arn}");
        }
    }
}
