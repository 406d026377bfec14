//! AWS Signature Version 4 in both directions: verifies callers, and signs this program's own calls.
//!
//! Also what a caller is and may do: users with long-lived keys, sessions with temporary ones, and the policies of both.
//!
//! Source of the rules: AWS IAM User Guide, "Create a signed AWS API request" and "Common errors". The
//! service in the scope is the one that is called ([`SignedService`]); any region is accepted, because one server stands for
//! all of them. Every refusal is HTTP 403.
//!
//! Verification has two steps, so that an unauthenticated caller cannot make the server read a body:
//! [`Verifier::check`] needs only the head of a request and refuses everything that can be refused without
//! the body; [`Verifier::finish`] takes the SHA-256 of the body that was read. If the client sends that hash
//! (`x-amz-content-sha256`), the first step checks the signature. No service here has unsigned payloads
//! [fact:no-unsigned-payload]: the signature must always fit the hash of the body.
//!
//! Invariants: no secret reaches `Debug` or a log line; signatures are compared in constant time; nothing
//! that was derived from an unverified request is cached.

mod access;
mod amz_date;
mod canonical;
mod credentials;
mod error;
mod key;
mod keyring;
mod policy;
mod presented;
mod principal;
mod profile;
mod session;
mod session_file;
mod sign;
#[cfg(test)]
mod tests;
mod verify;

pub use access::{AccessRules, UndefinedRoles};
pub use credentials::{Credentials, CredentialsError, Secret};
pub use error::{AuthError, AuthErrorCode};
pub use keyring::{AccountKey, Keyring};
pub use policy::{AccessQuestion, ConditionContext, IdentityPolicy, PolicyDecision, PolicyDocumentError};
pub use principal::{AccessDenial, CallerPrincipal, RoleName, role_id};
pub use session::{SESSION_NONCE_BYTES, SessionClaims, SessionCredentials, SessionKey, SessionSubject};
pub use sign::{SignError, Signer};
pub use verify::{Identity, MissingPolicy, PendingVerification, Verifier, names_service, unchecked_region};

/// The only algorithm that is accepted.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The last part of every scope.
pub const TERMINATOR: &str = "aws4_request";
/// How long a presigned address can be valid at most, in seconds [fact:presigned-life].
pub const PRESIGNED_MAX_S: u32 = 604_800;
/// Longest policy document that narrows a session, characters [fact:session-policy-length].
pub const SESSION_POLICY_CHARS_MAX: usize = 2048;

/// A service, as the scope of a signature names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedService {
    /// Lambda.
    Lambda,
    /// The Security Token Service, which gives temporary keys.
    Sts,
    /// S3, which this program calls; it signs an address as it is, and no hash of the body.
    S3,
}

impl SignedService {
    /// Its name in a scope.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lambda => "lambda",
            Self::Sts => "sts",
            Self::S3 => "s3",
        }
    }

    /// How far a client's clock may be wrong, in both directions, in seconds [fact:clock-skew].
    pub const fn skew_max_s(self) -> i64 {
        match self {
            Self::Lambda => 300,
            Self::Sts | Self::S3 => 900,
        }
    }
}
