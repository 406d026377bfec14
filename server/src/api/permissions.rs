//! Whether the caller may have an operation done: asked once, before anything is looked up.
//!
//! A caller without a policy is not asked for anything. The resource follows from the names in the request alone, so
//! that a refusal does not tell whether it exists; a name that cannot be read is asked for as it is or as `*`.

mod subject;
mod table;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use lambd_auth::{AccessDenial, ConditionContext, RoleName};
use lambd_model::{DIRECT_CALL, LATEST};
use lambd_wire::{Error, ErrorCode, Operation};

use super::Call;
use super::rules::target_function::TargetFunction;
use crate::app::App;
use crate::authorise;
use subject::Subject;

/// The names in a request that its resource follows from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    /// The member that names the subject, where the table of operations says so.
    pub(super) subject: Option<&'a str>,
    /// The member that qualifies it.
    pub(super) qualifier: Option<&'a str>,
    /// The member of the query or body that names it, or what else it concerns.
    pub(super) also: Option<&'a str>,
    /// The labels of the path.
    pub(super) labels: &'a [std::borrow::Cow<'a, str>],
}

/// # Errors
/// 403 `AccessDeniedException` with AWS's text [fact:access-denied-text].
pub(super) fn check(app: &App, call: &Call, operation: Operation, named: Named<'_>) -> Result<(), Error> {
    if call.identity.principal.is_unrestricted() {
        return Ok(());
    }
    ask(app, call, operation, named)
}

fn ask(app: &App, call: &Call, operation: Operation, named: Named<'_>) -> Result<(), Error> {
    let (action, kind) = table::permission(operation);
    let action = format!("lambda:{action}");
    let subject = Subject::of(app, call, kind, named);
    let (caller, resource) = (&call.identity.principal, subject.asked());
    let contexts = subject.describe(app, call, context(call));
    let denied = contexts.iter().find_map(|context| caller.may(&action, resource, context).err());
    let Some(denial) = denied else { return Ok(()) };
    let is_granted = denial == AccessDenial::NotAllowed
        && subject.function.as_ref().is_some_and(|function| is_granted(app, call, function, &action));
    if is_granted { Ok(()) } else { Err(refused(call, &action, resource, denial)) }
}

/// Refuses a caller whose policy does not allow what the operation does besides its own action.
///
/// # Errors
/// 403 `AccessDeniedException` with AWS's text [fact:access-denied-text].
pub(in crate::api) fn require(call: &Call, action: &str, resource: &str) -> Result<(), Error> {
    let mut context = context(call);
    if let Some(account) = resource.split(':').nth(4).filter(|account| !account.is_empty()) {
        context.add("aws:ResourceAccount", account);
    }
    let may = call.identity.principal.may(action, resource, &context);
    may.map_err(|denial| refused(call, action, resource, denial))
}

fn context(call: &Call) -> ConditionContext {
    authorise::context(&call.identity, call.source, SystemTime::now())
}

/// Whether the caller may give this role to a function or a capacity provider. One without a policy may give any, also of
/// other accounts: the role gets rights in the caller's account only, and clients send ARNs that exist elsewhere.
///
/// # Errors
/// 403 `AccessDeniedException` about `iam:PassRole`, or about another account's role [fact:pass-role].
pub(in crate::api) fn pass_role(call: &Call, role: &str) -> Result<(), Error> {
    let caller = &call.identity.principal;
    if caller.is_unrestricted() {
        return Ok(());
    }
    let action = "iam:PassRole";
    let role = RoleName::parse(role);
    let role = role.filter(|role| role.account == &*call.place.account);
    let role = role.ok_or_else(|| {
        Error::new(ErrorCode::AccessDeniedException, "Cross-account pass role is not allowed.")
    })?;
    let mut context = context(call);
    context.add("aws:ResourceAccount", role.account);
    context.add("iam:PassedToService", "lambda.amazonaws.com");
    caller.may(action, &role.arn(), &context).map_err(|denial| refused(call, action, &role.arn(), denial))
}

fn refused(call: &Call, action: &str, resource: &str, denial: AccessDenial) -> Error {
    let text = authorise::refusal(&call.identity.principal, action, resource, denial);
    Error::new(ErrorCode::AccessDeniedException, text)
}

/// Whether a policy of the function itself names the caller: within an account that is as good as a policy of the
/// caller [fact:same-account-policy].
fn is_granted(app: &App, call: &Call, target: &TargetFunction, action: &str) -> bool {
    if target.id.account != call.identity.account {
        return false;
    }
    let Some(function) = app.registry.get(&target.id) else { return false };
    let policy = function.policies.get(target.qualifier.as_deref().unwrap_or(LATEST));
    let caller = &call.identity.principal;
    policy.is_some_and(|policy| {
        policy.iter().any(|statement| statement.names(&caller.entity_arn, action, DIRECT_CALL))
    })
}
