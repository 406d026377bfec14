//! AWS Signature Version 4 in both directions: verifies callers, and signs this program's own calls.
//!
//! Source of the rules: AWS IAM User Guide, "Create a signed AWS API request" and "Common errors". The
//! service in the scope is always [`SERVICE`]; any region is accepted, because one server stands for all of
//! them. Every refusal is HTTP 403.
//!
//! Verification has two steps, so that an unauthenticated caller cannot make the server read a body:
//! [`Verifier::check`] needs only the head of a request and refuses everything that can be refused without
//! the body; [`Verifier::finish`] takes the SHA-256 of the body that was read. If the client sends that hash
//! (`x-amz-content-sha256`), the first step checks the signature. This service has no unsigned payloads: the
//! signature must always fit the hash of the body.
//!
//! Invariants: no secret reaches `Debug` or a log line; signatures are compared in constant time; nothing
//! that was derived from an unverified request is cached.

mod amz_date;
mod canonical;
mod credentials;
mod error;
mod key;
mod keyring;
mod policy;
mod presented;
mod profile;
mod sign;
#[cfg(test)]
mod tests;
mod verify;

pub use credentials::{Credentials, CredentialsError, Secret};
pub use error::{AuthError, AuthErrorCode};
pub use keyring::{AccountKey, Keyring};
pub use policy::{AccessQuestion, ConditionContext, IdentityPolicy, PolicyDecision, PolicyDocumentError};
pub use sign::{SignError, Signer};
pub use verify::{Identity, PendingVerification, Verifier, unchecked_region};

/// The service name in every scope that this server accepts or makes.
pub const SERVICE: &str = "lambda";
/// The only algorithm that is accepted.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The last part of every scope.
pub const TERMINATOR: &str = "aws4_request";
/// How far a client's clock may be wrong, in both directions, in seconds [fact:clock-skew].
pub const SKEW_MAX_S: i64 = 300;
/// How long a presigned address can be valid at most, in seconds [fact:presigned-life].
pub const PRESIGNED_MAX_S: u32 = 604_800;
