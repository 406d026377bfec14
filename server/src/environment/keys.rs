//! The temporary keys that an environment gets: of the function's account, as the function's role.
//!
//! Each environment has keys of its own. They cannot be renewed, because a process does not see new variables; so an
//! environment takes no further event when they are about to end.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambd_auth::{SessionClaims, SessionCredentials, SessionKey, SessionSubject};
use lambd_model::Version;

/// How long the keys of an environment are good [fact:execution-keys].
const LIFE: Duration = Duration::from_secs(12 * 3600);
/// Age from which on an environment gets no event: the longest invocation takes 15 minutes, and what it has begun with
/// its keys may go on for a while.
pub(super) const USE_MAX: Duration = Duration::from_secs(11 * 3600);

/// New keys for an environment of this version. `nonce` must be random.
pub(super) fn issue(
    sessions: &SessionKey,
    version: &Version,
    now: SystemTime,
    nonce: [u8; lambd_auth::SESSION_NONCE_BYTES],
) -> SessionCredentials {
    let end = now.duration_since(UNIX_EPOCH).unwrap_or_default() + LIFE;
    let claims = SessionClaims {
        account: version.function.account.to_string(),
        subject: SessionSubject::Role {
            arn: version.configuration.role.clone(),
            name: version.function.name.clone(),
        },
        policy: None,
        expires_s: i64::try_from(end.as_secs()).unwrap_or(i64::MAX),
    };
    sessions.issue(&claims, nonce)
}
