//! GetSessionToken: temporary keys of the calling user, with the user's rights [fact:session-token].

use lambd_auth::SessionSubject;

use super::parameters::Parameters;
use super::session::{claims, credentials};
use super::xml::Element;
use super::{StsCall, StsError};
use crate::app::App;

/// Bounds of a session's length, seconds.
const DURATION_MIN_S: i64 = 900;
const DURATION_MAX_S: i64 = 129_600;
const DURATION_DEFAULT_S: i64 = 43_200;

pub(super) fn handle(
    app: &App,
    call: &StsCall<'_>,
    parameters: &Parameters<'_>,
) -> Result<Vec<Element>, StsError> {
    if call.identity.principal.is_session {
        return Err(StsError::denied("Cannot call GetSessionToken with session credentials"));
    }
    if let Some(name) = ["SerialNumber", "TokenCode"].into_iter().find(|name| parameters.has(name)) {
        return Err(StsError::invalid(format!("{name} is not supported by this release of lambd.")));
    }
    let duration_s = parameters.duration_s(DURATION_DEFAULT_S, DURATION_MIN_S, DURATION_MAX_S)?;
    // Without signatures nobody has a key; the session is then the server's own user's, as everything is.
    let access_key_id = match &*call.identity.access_key_id {
        "" => &app.credentials.access_key_id,
        key => key,
    };
    let subject = SessionSubject::User { access_key_id: access_key_id.to_owned() };
    Ok(vec![credentials(app, &claims(call, subject, None, duration_s))])
}
