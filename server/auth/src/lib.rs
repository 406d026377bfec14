//! AWS Signature Version 4, both ways: who may call, and how this program's own calls are signed.
//!
//! Source of the rules: AWS IAM User Guide, "Create a signed AWS API request" and "Common errors".
//! The service in the scope is always [`SERVICE`]; the region is whatever the caller's scope names,
//! because one server stands for every region. Every refusal is HTTP 403.
//!
//! Verification has two steps, so that nobody unknown makes the server read a body:
//! [`Verifier::check`] needs the head of a request only and refuses all that can be refused without
//! the body; [`Verifier::finish`] takes the SHA-256 of the body as it was read. A client that tells
//! that hash beforehand (`x-amz-content-sha256`) has its signature checked by the first step. Unsigned
//! payloads do not exist for this service: the hash that counts is that of the body.
//!
//! Invariants: no secret reaches `Debug` or a log line; signatures are compared in constant time;
//! nothing derived from an unverified request is remembered.

mod amz_date;
mod canonical;
mod credentials;
mod error;
mod key;
mod keyring;
mod presented;
mod profile;
mod sign;
#[cfg(test)]
mod tests;
mod verify;

pub use credentials::{Credentials, CredentialsError, Secret};
pub use error::{AuthError, AuthErrorCode};
pub use keyring::{AccountKey, Keyring};
pub use sign::{SignError, Signer};
pub use verify::{Identity, PendingVerification, Verifier, unchecked_region};

/// The service name in every scope that this server accepts or makes.
pub const SERVICE: &str = "lambda";
/// The one algorithm.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What every scope ends with.
pub const TERMINATOR: &str = "aws4_request";
/// How far a client's clock may be off, either way, in seconds [fact:clock-skew].
pub const SKEW_MAX_S: i64 = 300;
/// The longest life of a presigned address in seconds [fact:presigned-life].
pub const PRESIGNED_MAX_S: u32 = 604_800;
