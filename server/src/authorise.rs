//! Authorisation: what is known of a request for the conditions of policies, and the text of a refusal.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use lambd_auth::{AccessDenial, CallerPrincipal, ConditionContext, Identity};

/// The condition keys that every request has [fact:condition-keys].
pub fn context(identity: &Identity, source: Option<IpAddr>, now: SystemTime) -> ConditionContext {
    let caller = &identity.principal;
    let mut context = ConditionContext::default();
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let second = Timestamp::from_second(i64::try_from(since).unwrap_or(i64::MAX)).unwrap_or(Timestamp::MAX);
    context.add("aws:CurrentTime", second.to_string());
    context.add("aws:EpochTime", since.to_string());
    context.add("aws:RequestedRegion", &*identity.region);
    context.add("aws:PrincipalAccount", &*identity.account);
    context.add("aws:PrincipalArn", &caller.entity_arn);
    context.add("aws:PrincipalType", if caller.user_name.is_some() { "User" } else { "AssumedRole" });
    context.add("aws:userid", &caller.unique_id);
    if let Some(name) = &caller.user_name {
        context.add("aws:username", name);
    }
    if let Some(source) = source {
        context.add("aws:SourceIp", source.to_canonical().to_string());
    }
    context
}

/// The text of a refusal [fact:access-denied-text].
pub fn refusal(caller: &CallerPrincipal, action: &str, resource: &str, denial: AccessDenial) -> String {
    let reason = denial.reason(action);
    format!("User: {} is not authorized to perform: {action} on resource: {resource} {reason}", caller.arn)
}
