//! Verifies requests, in the order in which AWS checks them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use http::request::Parts;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::amz_date::AmzDate;
use super::canonical::Canonical;
use super::key::{KeyCache, SigningKey, hex};
use super::presented::{Form, PresentedSignature};
use super::{ALGORITHM, AccountKey, AuthError, SERVICE, SKEW_MAX_S, Secret, TERMINATOR};

/// The caller of a verified request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The access key that signed.
    pub access_key_id: Arc<str>,
    /// The account to which the key belongs, twelve digits.
    pub account: Arc<str>,
    /// The region in the caller's scope.
    pub region: Arc<str>,
}

/// A request of which everything but the body has been checked. [`Verifier::finish`] completes the check.
#[derive(Debug)]
pub struct PendingVerification {
    holder: Arc<Holder>,
    key: Arc<SigningKey>,
    rest: Rest,
}

/// What is left to check when the body has been read.
#[derive(Debug)]
enum Rest {
    /// The signature is right for a body with this hash, in hexadecimal: the body must have it.
    Declared([u8; 64]),
    /// The signature must be right for the body.
    Signature { canonical: Sha256, date: AmzDate, key_is_new: bool, signature: String },
}

impl PendingVerification {
    /// Whether the signature has been checked already, so that the caller is known.
    pub fn is_signed(&self) -> bool {
        matches!(self.rest, Rest::Declared(_))
    }

    /// The region in the caller's scope; not verified before [`Verifier::finish`].
    pub fn region(&self) -> &str {
        &self.key.region
    }
}

/// A pair of keys that the server accepts.
#[derive(Debug)]
struct Holder {
    access_key_id: Arc<str>,
    account: Arc<str>,
    secret: Secret,
    /// Signing keys derived from the secret.
    derived: KeyCache,
}

/// Verifies requests against the pairs of keys that it knows.
#[derive(Debug)]
pub struct Verifier {
    holders: HashMap<Arc<str>, Arc<Holder>>,
}

impl Verifier {
    /// A verifier that knows these keys and no others.
    pub fn new(keys: impl IntoIterator<Item = AccountKey>) -> Self {
        let holder = |AccountKey { credentials, account }| {
            let access_key_id: Arc<str> = Arc::from(credentials.access_key_id);
            let secret = credentials.secret_access_key;
            Arc::new(Holder { access_key_id, account: account.into(), secret, derived: KeyCache::default() })
        };
        let holders = keys.into_iter().map(holder);
        Self { holders: holders.map(|holder| (Arc::clone(&holder.access_key_id), holder)).collect() }
    }

    /// First step, before any byte of the body is read: checks everything but the signature; and the
    /// signature, too, if the client declares the body's hash (`x-amz-content-sha256`, which is signed like
    /// every `x-amz-` header).
    ///
    /// # Errors
    /// An [`AuthError`] with AWS's code and text, the first that applies in AWS's order.
    pub fn check(&self, head: &Parts, now: SystemTime) -> Result<PendingVerification, AuthError> {
        let presented = PresentedSignature::of(head)?;
        let date = AmzDate::parse(&presented.date).ok_or_else(|| {
            AuthError::incomplete(format!(
                "Date must be in ISO-8601 'basic format'. Got '{}'. See http://en.wikipedia.org/wiki/ISO_8601",
                presented.date
            ))
        })?;
        check_age(&date, presented.form, AmzDate::of(now))?;
        let signed = signed_headers(&presented, head)?;
        if presented.algorithm != ALGORITHM {
            return Err(AuthError::incomplete(format!(
                "Unsupported AWS 'algorithm': '{}' (only {ALGORITHM} for now). ",
                presented.algorithm
            )));
        }
        let scope = CredentialScope::parse(&presented.credential)?;
        scope.check(&date)?;
        let holder = self.holders.get(scope.access_key_id).filter(|_| !presented.has_session_token);
        let holder = Arc::clone(holder.ok_or_else(AuthError::unrecognized)?);

        let known = holder.derived.get(scope.day, scope.region);
        let key_is_new = known.is_none();
        let key =
            known.unwrap_or_else(|| Arc::new(SigningKey::derive(&holder.secret, scope.day, scope.region)));
        let mut canonical = Sha256::new();
        Canonical {
            method: head.method.as_str(),
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            headers: &head.headers,
            authority: head.uri.authority().map_or("", |authority| authority.as_str()),
            signed: &signed,
        }
        .write(&mut canonical);
        let rest = match declared_hash(head) {
            Some(hash) => {
                let new = key_is_new.then_some(&*holder);
                check_signature(canonical, &hash, &date, &key, new, &presented.signature)?;
                Rest::Declared(hash)
            }
            None => {
                Rest::Signature { canonical, date, key_is_new, signature: presented.signature.into_owned() }
            }
        };
        Ok(PendingVerification { holder, key, rest })
    }

    /// Second step: checks that the signature is right for a body with this SHA-256.
    ///
    /// # Errors
    /// An [`AuthError`] if it is not: another secret was used, or something signed has been changed.
    pub fn finish(
        &self,
        pending: PendingVerification,
        body_sha256: &[u8; 32],
    ) -> Result<Identity, AuthError> {
        let PendingVerification { holder, key, rest } = pending;
        let hash = hex(body_sha256);
        match rest {
            Rest::Declared(declared) if declared == hash => {}
            Rest::Declared(_) => return Err(AuthError::mismatch()),
            Rest::Signature { canonical, date, key_is_new, signature } => {
                let new = key_is_new.then_some(&*holder);
                check_signature(canonical, &hash, &date, &key, new, &signature)?;
            }
        }
        Ok(Identity {
            access_key_id: Arc::clone(&holder.access_key_id),
            account: Arc::clone(&holder.account),
            region: Arc::clone(&key.region),
        })
    }
}

/// If the signature is right, `new` caches the key, which was derived for this request.
fn check_signature(
    mut canonical: Sha256,
    body_hash: &[u8; 64],
    date: &AmzDate,
    key: &Arc<SigningKey>,
    new: Option<&Holder>,
    signature: &str,
) -> Result<(), AuthError> {
    canonical.update(body_hash);
    let expected = hex(&key.sign(date, &canonical.finalize().into()));
    if !bool::from(expected.as_slice().ct_eq(signature.as_bytes())) {
        return Err(AuthError::mismatch());
    }
    new.into_iter().for_each(|holder| holder.derived.remember(key));
    Ok(())
}

/// The hash of the body in lower-case hexadecimal, if the client declares it exactly once and in that form.
fn declared_hash(head: &Parts) -> Option<[u8; 64]> {
    let mut values = head.headers.get_all("x-amz-content-sha256").iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let hash: [u8; 64] = value.as_bytes().try_into().ok()?;
    hash.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).then_some(hash)
}

/// The region in the scope of a request whose signature is not verified, if it has one.
pub fn unchecked_region(head: &Parts) -> Option<Arc<str>> {
    let presented = PresentedSignature::of(head).ok()?;
    let scope = CredentialScope::parse(&presented.credential).ok()?;
    may_be_region(scope.region).then(|| Arc::from(scope.region))
}

fn check_age(date: &AmzDate, form: Form, now: AmzDate) -> Result<(), AuthError> {
    let (valid_s, unit) = match form {
        Form::Header => (SKEW_MAX_S, "5 min.".to_owned()),
        Form::Presigned { expires_s } if expires_s.is_multiple_of(60) => {
            (expires_s.into(), format!("{} min.", expires_s / 60))
        }
        Form::Presigned { expires_s } => (expires_s.into(), format!("{expires_s} sec.")),
    };
    let earliest = now.unix_s() - valid_s;
    if date.unix_s() < earliest {
        return Err(AuthError::invalid(format!(
            "Signature expired: {} is now earlier than {} ({} - {unit})",
            date.as_str(),
            AmzDate::from_unix(earliest).as_str(),
            now.as_str()
        )));
    }
    let latest = now.unix_s() + SKEW_MAX_S;
    if date.unix_s() > latest {
        return Err(AuthError::invalid(format!(
            "Signature not yet current: {} is still later than {} ({} + 5 min.)",
            date.as_str(),
            AmzDate::from_unix(latest).as_str(),
            now.as_str()
        )));
    }
    Ok(())
}

/// The names of the signed headers, sorted. `host` and every `x-amz-` header of the request must be among
/// them (IAM User Guide, "Create a canonical request"), because a third party could add one otherwise.
fn signed_headers<'a>(
    presented: &'a PresentedSignature<'_>,
    head: &Parts,
) -> Result<Vec<&'a str>, AuthError> {
    let mut signed: Vec<&str> = presented.signed_headers.split(';').filter(|name| !name.is_empty()).collect();
    signed.sort_unstable();
    signed.dedup();
    let unsigned = |name: &str| signed.binary_search(&name).is_err();
    let must = |name: &str| {
        AuthError::invalid(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization."))
    };
    if unsigned("host") {
        return Err(must("Host"));
    }
    let names = head.headers.keys().map(http::HeaderName::as_str);
    match names.filter(|name| name.starts_with("x-amz-")).find(|name| unsigned(name)) {
        Some(name) => Err(must(name)),
        None => Ok(signed),
    }
}

/// `KEYID/DAY/REGION/SERVICE/TERMINATOR`.
#[derive(Debug)]
struct CredentialScope<'a> {
    access_key_id: &'a str,
    day: &'a str,
    region: &'a str,
    service: &'a str,
    terminator: &'a str,
}

impl<'a> CredentialScope<'a> {
    fn parse(credential: &'a str) -> Result<Self, AuthError> {
        let mut parts = credential.split('/');
        let next = [(); 5].map(|()| parts.next());
        let ([Some(access_key_id), Some(day), Some(region), Some(service), Some(terminator)], None) =
            (next, parts.next())
        else {
            return Err(AuthError::incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, \
                 e.g. keyid/date/region/service/term, got '{credential}'"
            )));
        };
        Ok(Self { access_key_id, day, region, service, terminator })
    }

    fn check(&self, date: &AmzDate) -> Result<(), AuthError> {
        let mut wrong = Vec::new();
        if !may_be_region(self.region) {
            wrong.push(format!("Credential should be scoped to a valid region, not '{}'. ", self.region));
        }
        if self.service != SERVICE {
            wrong.push(format!("Credential should be scoped to correct service: '{SERVICE}'. "));
        }
        if self.terminator != TERMINATOR {
            wrong.push(format!(
                "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{}'. ",
                self.terminator
            ));
        }
        if self.day != date.day() {
            wrong.push(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '{}' != '{}', from '{}'. ",
                self.day,
                date.day(),
                date.as_str()
            ));
        }
        if wrong.is_empty() { Ok(()) } else { Err(AuthError::invalid(wrong.concat())) }
    }
}

/// Whether a text has the form of a region's name. Any region is served.
fn may_be_region(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&name.len()) && name.bytes().all(fits)
}
