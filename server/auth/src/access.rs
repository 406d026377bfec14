//! The file with policies and with the roles that have them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{IdentityPolicy, RoleName};

/// What a role may do that the file does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UndefinedRoles {
    /// What every function needs: [`EXECUTION_POLICY`].
    #[default]
    Execution,
    /// Everything in its account.
    Everything,
    /// Nothing.
    Nothing,
}

/// What a role may do that is not defined: invoke functions, report on durable executions, and write its logs.
const EXECUTION_POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action": [
    "lambda:InvokeFunction", "lambda:InvokeAsync", "lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState",
    "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]}]}"#;

/// A test reads it; if it could not be read, it would allow nothing.
static EXECUTION: LazyLock<Arc<IdentityPolicy>> = LazyLock::new(|| {
    Arc::new(IdentityPolicy::parse(EXECUTION_POLICY).unwrap_or_else(|_| IdentityPolicy::nothing()))
});

/// Named policies, and the roles that have one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccessRules {
    policies: BTreeMap<String, Arc<IdentityPolicy>>,
    /// The policy of each role, by ARN.
    roles: HashMap<String, Arc<IdentityPolicy>>,
    /// What all other roles may do.
    pub undefined_roles: UndefinedRoles,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct AccessFile<'a> {
    #[serde(borrow, default)]
    policies: BTreeMap<String, &'a RawValue>,
    #[serde(default)]
    roles: BTreeMap<String, String>,
}

impl AccessRules {
    /// Reads the file: `{"Policies": {NAME: DOCUMENT}, "Roles": {ARN: NAME}}`.
    ///
    /// # Errors
    /// What is wrong, in words; every name is checked.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: AccessFile<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut policies = BTreeMap::new();
        for (name, document) in file.policies {
            let policy =
                IdentityPolicy::parse(document.get()).map_err(|error| format!("policy `{name}`: {error}"))?;
            policies.insert(name, Arc::new(policy));
        }
        let mut roles = HashMap::new();
        for (arn, name) in file.roles {
            let role = RoleName::parse(&arn).ok_or_else(|| format!("`{arn}` is not the ARN of a role"))?;
            let policy =
                policies.get(&name).ok_or_else(|| format!("role `{arn}`: there is no policy `{name}`"))?;
            roles.insert(role.arn(), Arc::clone(policy));
        }
        Ok(Self { policies, roles, undefined_roles: UndefinedRoles::default() })
    }

    /// A policy by its name.
    pub fn policy(&self, name: &str) -> Option<Arc<IdentityPolicy>> {
        self.policies.get(name).cloned()
    }

    /// The policy of a role that acts for this account; `None` if it may do everything. The definition of another
    /// account's role does not count: a role has rights in its own account only.
    pub(super) fn of_role(&self, account: &str, role: &RoleName<'_>) -> Option<Arc<IdentityPolicy>> {
        let defined = self.roles.get(&role.arn()).filter(|_| role.account == account);
        match (defined, self.undefined_roles) {
            (Some(policy), _) => Some(Arc::clone(policy)),
            (None, UndefinedRoles::Everything) => None,
            (None, UndefinedRoles::Execution) => Some(Arc::clone(&EXECUTION)),
            (None, UndefinedRoles::Nothing) => Some(Arc::new(IdentityPolicy::nothing())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CallerPrincipal, ConditionContext};

    #[test]
    fn mistakes_are_named() {
        for (text, expect) in [
            ("", "EOF"),
            (r#"{"policies": {}}"#, "unknown field `policies`"),
            (r#"{"Policies": {"p": {"Statement": [{}]}}}"#, "policy `p`: missing field `Effect`"),
            (r#"{"Roles": {"r": "p"}}"#, "`r` is not the ARN of a role"),
            (r#"{"Roles": {"arn:aws:iam::000000000000:role/r": "p"}}"#, "there is no policy `p`"),
        ] {
            let error = AccessRules::parse(text).unwrap_err();
            assert!(error.contains(expect), "{text}: {error}");
        }
    }

    #[test]
    fn a_role_has_its_own_policy_in_its_own_account_and_else_the_common_one() {
        let text = r#"{"Policies": {"p": {"Statement": {"Effect": "Allow", "Action": "x:defined", "Resource": "*"}}},
            "Roles": {"arn:aws:iam::000000000000:role/r": "p"}}"#;
        let mut rules = AccessRules::parse(text).unwrap();
        let may = |rules: &AccessRules, account: &str, arn: &str, action: &str| {
            let role = RoleName::parse(arn).unwrap();
            let principal = CallerPrincipal::role(account, &role, "s", rules.of_role(account, &role), None);
            principal.may(action, "*", &ConditionContext::default()).is_ok()
        };
        let (defined, other) = ("arn:aws:iam::000000000000:role/r", "arn:aws:iam::000000000000:role/other");
        assert!(may(&rules, "000000000000", defined, "x:defined"));
        assert!(!may(&rules, "000000000000", defined, "lambda:InvokeFunction"));
        assert!(!may(&rules, "111111111111", defined, "x:defined"), "another account's definition");
        assert!(may(&rules, "111111111111", defined, "lambda:InvokeFunction"));
        for action in
            ["lambda:GetFunction", "lambda:UpdateFunctionCode", "sts:AssumeRole", "iam:PassRole", "x:defined"]
        {
            assert!(!may(&rules, "000000000000", other, action), "{action}");
        }
        for action in ["lambda:InvokeFunction", "logs:PutLogEvents"] {
            assert!(may(&rules, "000000000000", other, action), "{action}");
        }
        rules.undefined_roles = UndefinedRoles::Nothing;
        assert!(!may(&rules, "000000000000", other, "lambda:InvokeFunction"));
        rules.undefined_roles = UndefinedRoles::Everything;
        assert!(may(&rules, "000000000000", other, "x:y") && !may(&rules, "000000000000", defined, "x:y"));
    }
}
