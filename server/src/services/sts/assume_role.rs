//! AssumeRole: temporary keys of a role of the caller's account [fact:assume-role].

use ::http::StatusCode;
use lambd_auth::{AccessDenial, IdentityPolicy, RoleName, SESSION_POLICY_CHARS_MAX, SessionSubject, role_id};

use super::parameters::{Parameters, refused};
use super::session::{claims, credentials};
use super::xml::Element;
use super::{StsCall, StsError};
use crate::app::App;
use crate::authorise;

/// Bounds of a session's length, seconds.
const DURATION_MIN_S: i64 = 900;
const DURATION_MAX_S: i64 = 43_200;
const DURATION_DEFAULT_S: i64 = 3600;
/// The longest session for a caller that is a session itself.
const CHAINED_MAX_S: i64 = 3600;
const ACTION: &str = "sts:AssumeRole";

pub(super) fn handle(
    app: &App,
    call: &StsCall<'_>,
    parameters: &Parameters<'_>,
) -> Result<Vec<Element>, StsError> {
    let arn = parameters.required("RoleArn")?;
    let name = parameters.required("RoleSessionName")?;
    check_name(name)?;
    let duration_s = parameters.duration_s(DURATION_DEFAULT_S, DURATION_MIN_S, DURATION_MAX_S)?;
    let role = RoleName::parse(arn).filter(RoleName::is_well_formed);
    let role = role.ok_or_else(|| StsError::invalid(format!("{arn} is invalid")))?;
    refuse_unused(parameters)?;
    let policy = parameters.get("Policy").map(check_policy).transpose()?;
    let arn = role.arn();
    permit(call, &arn, &role)?;
    if call.identity.principal.is_session && duration_s > CHAINED_MAX_S {
        return Err(StsError::invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    let size = policy.map(|policy| policy.chars().count().div_ceil(SESSION_POLICY_CHARS_MAX / 100));
    let subject = SessionSubject::Role { arn: arn.clone(), name: name.to_owned() };
    let claims = claims(call, subject, policy.map(str::to_owned), duration_s);
    let principal = app.verifier.principal(&claims);
    let principal = principal.ok_or_else(|| StsError::invalid(format!("{arn} is invalid")))?;
    let user = Element::Parent(
        "AssumedRoleUser",
        vec![
            Element::Text("AssumedRoleId", format!("{}:{name}", role_id(&principal))),
            Element::Text("Arn", principal.arn),
        ],
    );
    let size = size.map(|percent| Element::Text("PackedPolicySize", percent.to_string()));
    Ok([credentials(app, &claims), user].into_iter().chain(size).collect())
}

/// 2 to 64 characters of `[\w+=,.@-]`.
fn check_name(name: &str) -> Result<(), StsError> {
    let at = format!("Value '{name}' at 'roleSessionName'");
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    match name.len() {
        0 | 1 => Err(refused(&at, "Member must have length greater than or equal to 2")),
        2..=64 if name.bytes().all(fits) => Ok(()),
        2..=64 => Err(refused(&at, r"Member must satisfy regular expression pattern: [\w+=,.@-]*")),
        _ => Err(refused(&at, "Member must have length less than or equal to 64")),
    }
}

/// What would narrow the session or be asked of it, and does not exist here, is refused and never ignored. `ExternalId` is
/// taken: only the trust policy of a role can ask for it, and there is none here.
fn refuse_unused(parameters: &Parameters<'_>) -> Result<(), StsError> {
    const UNUSED: [&str; 7] = [
        "PolicyArns",
        "SerialNumber",
        "TokenCode",
        "Tags",
        "TransitiveTagKeys",
        "SourceIdentity",
        "ProvidedContexts",
    ];
    let unused = UNUSED.into_iter().find(|name| parameters.has(name));
    unused.map_or(Ok(()), |name| {
        Err(StsError::invalid(format!("{name} is not supported by this release of lambd.")))
    })
}

fn check_policy(policy: &str) -> Result<&str, StsError> {
    let code = |code, message| StsError { status: StatusCode::BAD_REQUEST, code, message };
    if policy.chars().count() > SESSION_POLICY_CHARS_MAX {
        let constraint = format!("Member must have length less than or equal to {SESSION_POLICY_CHARS_MAX}");
        return Err(refused("Value at 'policy'", &constraint));
    }
    let parsed = IdentityPolicy::parse(policy);
    parsed.map(|_| policy).map_err(|error| code("MalformedPolicyDocument", error.to_string()))
}

/// A role can be assumed within its account only, by whoever may do so by their own policy.
fn permit(call: &StsCall<'_>, arn: &str, role: &RoleName<'_>) -> Result<(), StsError> {
    let caller = &call.identity.principal;
    if role.account != &*caller.account {
        // AWS says no more when the role's trust policy is what refuses.
        let text = format!("User: {} is not authorized to perform: {ACTION} on resource: {arn}", caller.arn);
        return Err(StsError::denied(text));
    }
    let context = authorise::context(call.identity, call.source, call.now);
    let refused = |denial: AccessDenial| StsError::denied(authorise::refusal(caller, ACTION, arn, denial));
    caller.may(ACTION, arn, &context).map_err(refused)
}
