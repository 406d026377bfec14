//! `/2020-01-01/extension/*` in an environment without extensions. Registration is never open, so no
//! identifier is valid; these are the Runtime API's answers in that case.

use http::{HeaderMap, HeaderValue, StatusCode};
use uuid::Uuid;

use crate::render;
use crate::render::Reply;

const NAME: &str = "lambda-extension-name";
const IDENTIFIER: &str = "lambda-extension-identifier";

/// `POST register`.
pub(crate) fn register(head: &HeaderMap) -> Reply {
    if head.get(NAME).is_none_or(HeaderValue::is_empty) {
        return forbidden("Extension.InvalidExtensionName", "Empty extension name");
    }
    forbidden("Extension.RegistrationClosed", "Extension registration closed already")
}

/// `GET event/next`.
pub(crate) fn event_next(head: &HeaderMap) -> Reply {
    unidentified(head, |id| format!("Unknown extension {id}"))
}

/// `POST init/error` and `POST exit/error`.
pub(crate) fn error(head: &HeaderMap) -> Reply {
    unidentified(head, |_| "Unknown Lambda-Extension-Identifier".to_owned())
}

fn unidentified(head: &HeaderMap, unknown: impl Fn(Uuid) -> String) -> Reply {
    let Some(id) = head.get(IDENTIFIER).filter(|id| !id.is_empty()) else {
        return forbidden(
            "Extension.MissingExtensionIdentifier",
            "Missing Lambda-Extension-Identifier header",
        );
    };
    match Uuid::try_parse_ascii(id.as_bytes()) {
        Ok(id) => forbidden("Extension.UnknownExtensionIdentifier", &unknown(id)),
        Err(_) => forbidden("Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier"),
    }
}

fn forbidden(error_type: &str, message: &str) -> Reply {
    render::error(StatusCode::FORBIDDEN, error_type, message)
}

#[cfg(test)]
mod tests;
