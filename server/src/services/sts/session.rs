//! What AssumeRole and GetSessionToken share: the new keys.

use std::time::UNIX_EPOCH;

use jiff::Timestamp;
use lambd_auth::{SessionClaims, SessionSubject};

use super::StsCall;
use super::xml::Element;
use crate::app::App;

/// What a new session is for.
pub(super) fn claims(
    call: &StsCall<'_>,
    subject: SessionSubject,
    policy: Option<String>,
    duration_s: i64,
) -> SessionClaims {
    let now = call.now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let expires_s = i64::try_from(now).unwrap_or(i64::MAX).saturating_add(duration_s);
    SessionClaims { account: call.identity.account.to_string(), subject, policy, expires_s }
}

/// The keys of a new session.
pub(super) fn credentials(app: &App, claims: &SessionClaims) -> Element {
    let made = app.verifier.sessions().issue(claims, rand::random());
    let expiration = Timestamp::from_second(claims.expires_s).unwrap_or(Timestamp::MAX).to_string();
    Element::Parent(
        "Credentials",
        vec![
            Element::Text("AccessKeyId", made.credentials.access_key_id.clone()),
            Element::Text("SecretAccessKey", made.secret_access_key().to_owned()),
            Element::Text("SessionToken", made.session_token),
            Element::Text("Expiration", expiration),
        ],
    )
}
