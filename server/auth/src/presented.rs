//! The signature of a request as the caller sent it, in a header or in the query.

use std::borrow::Cow;

use http::request::Parts;
use http::{HeaderMap, header};

use super::AuthError;
use super::canonical::{decoded, parameters};

/// Where the signature was sent, which decides how long it is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Header,
    Presigned { expires_s: u32 },
}

/// The parts of a signature as the caller sent them. Only their presence has been checked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PresentedSignature<'a> {
    pub(super) form: Form,
    pub(super) algorithm: Cow<'a, str>,
    pub(super) credential: Cow<'a, str>,
    pub(super) signed_headers: Cow<'a, str>,
    pub(super) signature: Cow<'a, str>,
    pub(super) date: Cow<'a, str>,
    /// The token of temporary keys, in the header or in the query.
    pub(super) session_token: Option<Cow<'a, str>>,
}

impl<'a> PresentedSignature<'a> {
    /// Reads the `Authorization` header if there is one, else the query.
    pub(super) fn of(head: &'a Parts) -> Result<Self, AuthError> {
        if let Some(value) = head.headers.get(header::AUTHORIZATION) {
            return match String::from_utf8_lossy(value.as_bytes()) {
                Cow::Borrowed(text) => Self::of_header(text, &head.headers),
                // Not UTF-8, so no part of it can be right; it is quoted with replacement characters.
                Cow::Owned(text) => Err(missing_parts(&text, [true; 3], date_of(&head.headers).is_none())),
            };
        }
        Self::of_query(head.uri.query().unwrap_or_default())
    }

    fn of_header(text: &'a str, headers: &'a HeaderMap) -> Result<Self, AuthError> {
        let text = text.trim();
        let (algorithm, rest) = text.split_once(' ').unwrap_or((text, ""));
        let (mut credential, mut signature, mut signed_headers) = (None, None, None);
        for part in rest.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let Some((name, value)) = part.split_once('=') else {
                return Err(AuthError::incomplete(format!(
                    "'{part}' not a valid key=value pair (missing equal-sign) in Authorization header: '{text}'."
                )));
            };
            match name {
                "Credential" => credential = Some(value),
                "Signature" => signature = Some(value),
                "SignedHeaders" => signed_headers = Some(value),
                _ => {}
            }
        }
        let date = date_of(headers);
        let (Some(credential), Some(signature), Some(signed_headers), Some(date)) =
            (credential, signature, signed_headers, date)
        else {
            let absent = [credential.is_none(), signature.is_none(), signed_headers.is_none()];
            return Err(missing_parts(text, absent, date_of(headers).is_none()));
        };
        Ok(Self {
            form: Form::Header,
            algorithm: algorithm.into(),
            credential: credential.into(),
            signed_headers: signed_headers.into(),
            signature: signature.into(),
            date,
            session_token: session_token(headers),
        })
    }

    fn of_query(query: &'a str) -> Result<Self, AuthError> {
        let value = |name: &str| -> Option<Cow<'a, str>> {
            let (_, raw) = parameters(query).find(|(found, _)| *found == name)?;
            let plain = !raw.contains(['%', '+']);
            Some(if plain {
                Cow::Borrowed(raw)
            } else {
                Cow::Owned(String::from_utf8_lossy(&decoded(raw)).into_owned())
            })
        };
        let algorithm = value("X-Amz-Algorithm").ok_or_else(AuthError::missing)?;
        let names =
            ["X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date", "X-Amz-Expires"];
        let [Some(credential), Some(signature), Some(signed_headers), Some(date), Some(expires)] =
            names.map(value)
        else {
            let absent = names.iter().filter(|name| value(name).is_none());
            let mut text: String =
                absent.map(|name| format!("AWS query-string parameters must include '{name}'. ")).collect();
            text.push_str("Re-examine the query-string parameters.");
            return Err(AuthError::incomplete(text));
        };
        let expires_s = expires.parse().ok().filter(|s| (1..=super::PRESIGNED_MAX_S).contains(s));
        let Some(expires_s) = expires_s else {
            return Err(AuthError::incomplete(format!(
                "X-Amz-Expires must be between 1 and {} seconds, got '{expires}'",
                super::PRESIGNED_MAX_S
            )));
        };
        Ok(Self {
            form: Form::Presigned { expires_s },
            algorithm,
            credential,
            signed_headers,
            signature,
            date,
            session_token: value("X-Amz-Security-Token"),
        })
    }
}

fn date_of(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let value = headers.get("x-amz-date").or_else(|| headers.get(header::DATE))?;
    Some(String::from_utf8_lossy(value.as_bytes()))
}

/// One that is not exactly one text is no token that this server made.
fn session_token(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let mut values = headers.get_all("x-amz-security-token").iter();
    let value = values.next()?;
    Some(if values.next().is_some() { Cow::Borrowed("") } else { String::from_utf8_lossy(value.as_bytes()) })
}

/// One error for all missing parts; `absent` is in the order of the texts.
fn missing_parts(header: &str, absent: [bool; 3], date_absent: bool) -> AuthError {
    let mut text = String::new();
    for (name, absent) in ["Credential", "Signature", "SignedHeaders"].into_iter().zip(absent) {
        if absent {
            text.push_str(&format!("Authorization header requires '{name}' parameter. "));
        }
    }
    if date_absent {
        text.push_str(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
        );
    }
    AuthError::incomplete(format!("{text}Authorization={header}"))
}
