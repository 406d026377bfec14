//! The refusals of authentication.

use std::borrow::Cow;

/// The error codes of authentication; each is sent as HTTP 403 with `x-amzn-ErrorType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthErrorCode {
    /// The request has no signature.
    MissingAuthenticationToken,
    /// Parts of the signature are missing or malformed.
    IncompleteSignature,
    /// The signature is complete, but wrong, too old or too new.
    InvalidSignature,
    /// The access key or the session token is unknown.
    UnrecognizedClient,
    /// The session token was good once.
    ExpiredToken,
}

impl AuthErrorCode {
    /// The code as it is on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::IncompleteSignature => "IncompleteSignatureException",
            Self::InvalidSignature => "InvalidSignatureException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::ExpiredToken => "ExpiredTokenException",
        }
    }
}

/// A refusal with AWS's code and text for the caller. The status is always 403; the body is `{"message": …}`
/// without `Type`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AuthError {
    /// The kind of refusal.
    pub code: AuthErrorCode,
    /// The text for the caller. It may quote the caller's own Authorization header.
    pub message: Cow<'static, str>,
}

impl AuthError {
    pub(super) fn missing() -> Self {
        Self {
            code: AuthErrorCode::MissingAuthenticationToken,
            message: Cow::Borrowed("Missing Authentication Token"),
        }
    }

    pub(super) fn incomplete(message: String) -> Self {
        Self { code: AuthErrorCode::IncompleteSignature, message: Cow::Owned(message) }
    }

    pub(super) fn invalid(message: String) -> Self {
        Self { code: AuthErrorCode::InvalidSignature, message: Cow::Owned(message) }
    }

    pub(super) fn unrecognized() -> Self {
        Self {
            code: AuthErrorCode::UnrecognizedClient,
            message: Cow::Borrowed("The security token included in the request is invalid."),
        }
    }

    pub(super) fn expired() -> Self {
        Self {
            code: AuthErrorCode::ExpiredToken,
            message: Cow::Borrowed("The security token included in the request is expired"),
        }
    }

    pub(super) fn mismatch() -> Self {
        Self {
            code: AuthErrorCode::InvalidSignature,
            message: Cow::Borrowed(
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method. \
                 Consult the service documentation for details.",
            ),
        }
    }
}
