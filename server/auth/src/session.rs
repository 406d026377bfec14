//! Temporary keys: made and recognised without being stored anywhere.
//!
//! A session token is its own record: what the session is for, and a code that only the holder of the server's
//! [`SessionKey`] can make. The secret follows from the key and the token. So a restart keeps all sessions, several
//! servers with one key accept each other's, and replacing the key ends all of them.
//!
//! Form of a token, in base64 for URLs without padding: one byte with the version, ten random bytes, the claims as
//! JSON, 32 bytes HMAC-SHA-256 of all before. The claims are readable for whoever has the token; they contain no secret.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use hmac::Mac as _;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::credentials::BASE32;
use super::key::mac;
use super::{Credentials, Secret};

/// The form of tokens that is made, and the only one that is read.
const VERSION: u8 = 1;
/// Random bytes of a token. The access key id has them, too, 5 bits in a character.
pub const SESSION_NONCE_BYTES: usize = 10;
/// Bytes of the authentication code at the end of a token.
const CODE_BYTES: usize = 32;
/// Longest token that is looked at; the longest that is made has a policy of [`super::SESSION_POLICY_CHARS_MAX`].
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// What a session is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionClaims {
    /// The account for which the session acts, twelve digits.
    #[serde(rename = "a")]
    pub account: String,
    /// As whom.
    #[serde(rename = "s")]
    pub subject: SessionSubject,
    /// A policy document that narrows what the subject may do.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The end, in seconds since 1970.
    #[serde(rename = "e")]
    pub expires_s: i64,
}

/// As whom a session acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionSubject {
    /// A role, assumed under a name.
    #[serde(rename = "r")]
    Role {
        /// The ARN of the role.
        #[serde(rename = "r")]
        arn: String,
        /// The name of the session.
        #[serde(rename = "n")]
        name: String,
    },
    /// The user to whom this long-lived access key belongs; the session ends when the key is removed.
    #[serde(rename = "u")]
    User {
        /// The access key.
        #[serde(rename = "k")]
        access_key_id: String,
    },
}

/// The keys of a session: what a client needs to sign for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionCredentials {
    /// Access key, beginning with `ASIA`, and secret.
    pub credentials: Credentials,
    /// The token that each request must carry.
    pub session_token: String,
}

impl SessionCredentials {
    /// The secret, for the one to whom the session is given.
    pub fn secret_access_key(&self) -> &str {
        self.credentials.secret_access_key.expose()
    }
}

/// The server's key for sessions. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionKey([u8; 32]);

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

impl SessionKey {
    /// A key of these bytes, which must be random.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Makes the keys of a new session. `nonce` must be random: it makes each session's keys its own.
    pub fn issue(&self, claims: &SessionClaims, nonce: [u8; SESSION_NONCE_BYTES]) -> SessionCredentials {
        let mut token = vec![VERSION];
        token.extend_from_slice(&nonce);
        // Claims are texts and numbers, for which writing JSON does not fail.
        token.extend_from_slice(&serde_json::to_vec(claims).unwrap_or_default());
        let code = self.code(b"token", &token);
        let credentials = self.credentials(nonce, &token);
        token.extend_from_slice(&code);
        SessionCredentials { credentials, session_token: URL_SAFE_NO_PAD.encode(token) }
    }

    /// What a token says, and the keys that belong to it; `None` if this server has not made it. It may have expired.
    pub(super) fn open(&self, session_token: &str) -> Option<(Credentials, SessionClaims)> {
        if session_token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let token = URL_SAFE_NO_PAD.decode(session_token).ok()?;
        let (signed, code) = token.split_at_checked(token.len().checked_sub(CODE_BYTES)?)?;
        if !bool::from(self.code(b"token", signed).as_slice().ct_eq(code)) {
            return None;
        }
        let (nonce, claims) = signed.strip_prefix(&[VERSION])?.split_first_chunk()?;
        Some((self.credentials(*nonce, signed), serde_json::from_slice(claims).ok()?))
    }

    fn credentials(&self, nonce: [u8; SESSION_NONCE_BYTES], signed: &[u8]) -> Credentials {
        let secret = self.code(b"secret", signed);
        Credentials {
            access_key_id: format!("ASIA{}", base32(&nonce)),
            // 30 bytes are 40 characters, the length of AWS's secrets.
            secret_access_key: Secret::new(STANDARD_NO_PAD.encode(&secret[..30])),
        }
    }

    /// A code for one purpose: what is derived for another one tells nothing about it.
    fn code(&self, purpose: &[u8], bytes: &[u8]) -> [u8; CODE_BYTES] {
        let mut key = mac(&self.0);
        key.update(purpose);
        let mut code = mac(&key.finalize().into_bytes());
        code.update(bytes);
        code.finalize().into_bytes().into()
    }
}

/// Base 32 without padding, as AWS's ids have it.
pub(super) fn base32(bytes: &[u8]) -> String {
    let (mut text, mut held, mut bits) = (String::with_capacity(bytes.len() * 8 / 5 + 1), 0_u32, 0);
    for byte in bytes {
        (held, bits) = ((held << 8 | u32::from(*byte)) & 0xfff, bits + 8);
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(BASE32[(held >> bits & 31) as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> SessionClaims {
        SessionClaims {
            account: "000000000000".to_owned(),
            subject: SessionSubject::Role {
                arn: "arn:aws:iam::000000000000:role/r".to_owned(),
                name: "n".to_owned(),
            },
            policy: Some(r#"{"Statement":[]}"#.to_owned()),
            expires_s: 1_795_461_141,
        }
    }

    const NONCE: [u8; SESSION_NONCE_BYTES] = [7; SESSION_NONCE_BYTES];

    #[test]
    fn a_token_is_its_own_record() {
        let key = SessionKey::new([1; 32]);
        let user = SessionClaims {
            subject: SessionSubject::User { access_key_id: "AKID".to_owned() },
            policy: None,
            ..claims()
        };
        for claims in [claims(), user] {
            let made = key.issue(&claims, NONCE);
            assert_eq!(key.open(&made.session_token), Some((made.credentials.clone(), claims)));
            assert_eq!(made.credentials.access_key_id, "ASIAA4DQOBYHA4DQOBYH");
            assert_eq!(made.secret_access_key().len(), 40);
        }
    }

    #[test]
    fn each_session_has_keys_of_its_own() {
        let key = SessionKey::new([1; 32]);
        let (one, other) = (key.issue(&claims(), NONCE), key.issue(&claims(), [8; SESSION_NONCE_BYTES]));
        assert_ne!(one.credentials.access_key_id, other.credentials.access_key_id);
        assert_ne!(one.secret_access_key(), other.secret_access_key());
        let elsewhere = SessionKey::new([2; 32]).issue(&claims(), NONCE);
        assert_ne!(one.secret_access_key(), elsewhere.secret_access_key());
        assert_eq!(key.open(&elsewhere.session_token), None);
    }

    #[test]
    fn no_bit_of_a_token_can_be_changed() {
        let key = SessionKey::new([1; 32]);
        let token = URL_SAFE_NO_PAD.decode(key.issue(&claims(), NONCE).session_token).unwrap();
        for at in 0..token.len() {
            let mut changed = token.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(&URL_SAFE_NO_PAD.encode(changed)), None, "byte {at}");
            assert_eq!(key.open(&URL_SAFE_NO_PAD.encode(&token[..at])), None, "{at} bytes");
        }
        for text in ["", "=", "AQ", &"A".repeat(TOKEN_BYTES_MAX + 1)] {
            assert_eq!(key.open(text), None);
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = SessionKey::new([1; 32]);
        let made = key.issue(&claims(), NONCE);
        assert_eq!(format!("{key:?}"), "SessionKey(…)");
        assert!(!format!("{made:?}").contains(made.secret_access_key()));
    }
}
