//! Whether the caller may have an operation done: asked once, before anything is looked up.
//!
//! A caller without a policy is not asked for anything. The resource follows from the names in the request alone, so
//! that a refusal does not tell whether it exists; a name that cannot be read is asked for as `*`.

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
use table::Kind;

/// The names in a request that its resource follows from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    /// The member that names the subject, where the table of operations says so.
    pub(super) subject: Option<&'a str>,
    /// The member that qualifies it.
    pub(super) qualifier: Option<&'a str>,
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
    let mut context = authorise::context(&call.identity, call.source, SystemTime::now());
    let (resource, function) = resource(call, kind, named);
    if let Some(function) = &function {
        describe(app, function, &mut context);
    }
    let denial = match call.identity.principal.may(&action, &resource, &context) {
        Ok(()) => return Ok(()),
        Err(denial) => denial,
    };
    let is_granted = denial == AccessDenial::NotAllowed
        && function.is_some_and(|function| is_granted(app, call, &function, &action));
    if is_granted { Ok(()) } else { Err(refused(call, &action, &resource, denial)) }
}

/// Whether the caller may give a function this role. One without a policy may give any, also of other accounts: it gets
/// rights in its own account only, and clients send ARNs that exist elsewhere.
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
    let mut context = authorise::context(&call.identity, call.source, SystemTime::now());
    context.add("iam:PassedToService", "lambda.amazonaws.com");
    caller.may(action, &role.arn(), &context).map_err(|denial| refused(call, action, &role.arn(), denial))
}

fn refused(call: &Call, action: &str, resource: &str, denial: AccessDenial) -> Error {
    let text = authorise::refusal(&call.identity.principal, action, resource, denial);
    Error::new(ErrorCode::AccessDeniedException, text)
}

/// The ARN that policies are asked about, and the function that it is about.
fn resource(call: &Call, kind: Kind, named: Named<'_>) -> (String, Option<TargetFunction>) {
    let label = |at: usize| named.labels.get(at).map_or("", |label| &**label);
    let own = |rest: String| format!("arn:aws:lambda:{}:{}:{rest}", call.place.region, call.place.account);
    let subject = named.subject.unwrap_or_else(|| label(0));
    // A name may be given as a whole ARN.
    let bare = |kind: &str| subject.rsplit_once(&format!(":{kind}:")).map_or(subject, |(_, name)| name);
    let function = |qualifier| TargetFunction::parse_any_account(&call.place, Some(subject), qualifier).ok();
    let (resource, function) = match kind {
        Kind::Any => (None, None),
        // Also without the qualifier of the name, whose policy gives no right to the whole.
        Kind::Function => {
            let function = function(None).map(|target| TargetFunction { qualifier: None, ..target });
            (function.as_ref().map(|target| target.id.to_string()), function)
        }
        Kind::Qualified => {
            let function = function(named.qualifier);
            (function.as_ref().map(|target| target.arn(&target.place())), function)
        }
        // A function is asked for by one spelling of its ARN, however the request spells it.
        Kind::Arn if subject.contains(":function:") => {
            let function = function(None);
            let spelled = function.as_ref().map(|target| target.arn(&target.place()));
            (spelled.or_else(|| Some(subject.to_owned())), function)
        }
        Kind::Arn => (subject.starts_with("arn:").then(|| subject.to_owned()), None),
        Kind::Layer => (Some(own(format!("layer:{}", bare("layer")))), None),
        Kind::LayerVersion => (Some(own(format!("layer:{}:{}", bare("layer"), label(1)))), None),
        Kind::Mapping => (Some(own(format!("event-source-mapping:{}", label(0)))), None),
        Kind::CapacityProvider => {
            (Some(own(format!("capacity-provider:{}", bare("capacity-provider")))), None)
        }
    };
    let resource = resource.filter(|_| kind == Kind::Qualified || !subject.is_empty());
    (resource.unwrap_or_else(|| "*".to_owned()), function)
}

/// The condition keys of a function: its tags are those that it has now.
fn describe(app: &App, target: &TargetFunction, context: &mut ConditionContext) {
    context.add("aws:ResourceAccount", &*target.id.account);
    context.add("lambda:FunctionArn", target.id.to_string());
    let function = app.registry.get(&target.id);
    for (key, value) in function.iter().flat_map(|function| &function.tags) {
        context.add(format!("aws:ResourceTag/{key}"), value);
    }
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
