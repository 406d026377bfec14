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
use super::{
    ALGORITHM, AccessRules, AccountKey, AuthError, CallerPrincipal, IdentityPolicy, RoleName, Secret,
    SessionClaims, SessionKey, SessionSubject, SignedService, TERMINATOR,
};

/// The caller of a verified request.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// The access key that signed.
    pub access_key_id: Arc<str>,
    /// The account to which the key belongs, twelve digits.
    pub account: Arc<str>,
    /// The region in the caller's scope.
    pub region: Arc<str>,
    /// As whom the key acts.
    pub principal: Arc<CallerPrincipal>,
}

/// A request of which everything but the body has been checked. [`Verifier::finish`] completes the check.
#[derive(Debug)]
pub struct PendingVerification {
    holder: Arc<Holder>,
    key: Arc<SigningKey>,
    rest: Rest,
    /// Whether the caller's temporary keys are over, which is said to nobody but their holder.
    is_expired: bool,
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
    principal: Arc<CallerPrincipal>,
    secret: Secret,
    /// Signing keys derived from the secret.
    derived: KeyCache,
    /// The end of temporary keys, in seconds since 1970.
    expires_s: Option<i64>,
}

/// Verifies requests against the pairs of keys that it knows, and against temporary keys.
#[derive(Debug)]
pub struct Verifier {
    holders: HashMap<Arc<str>, Arc<Holder>>,
    rules: AccessRules,
    sessions: SessionKey,
}

/// A key whose policy does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "profile {user} of the credentials file has the policy {policy}, and the policies file has none of this name"
)]
pub struct MissingPolicy {
    user: String,
    policy: String,
}

impl Verifier {
    /// A verifier that knows these keys and no others, and the temporary keys that `sessions` makes.
    ///
    /// # Errors
    /// [`MissingPolicy`] if a key has a policy that the rules do not have: it must not act without one.
    pub fn new(
        keys: impl IntoIterator<Item = AccountKey>,
        rules: AccessRules,
        sessions: SessionKey,
    ) -> Result<Self, MissingPolicy> {
        let mut holders = HashMap::new();
        for AccountKey { credentials, account, user, policy } in keys {
            let policy = match policy {
                None => None,
                Some(name) => match rules.policy(&name) {
                    Some(policy) => Some(policy),
                    None => return Err(MissingPolicy { user, policy: name }),
                },
            };
            let access_key_id: Arc<str> = Arc::from(credentials.access_key_id);
            let holder = Holder {
                access_key_id: Arc::clone(&access_key_id),
                principal: Arc::new(CallerPrincipal::user(&account, &user, policy)),
                secret: credentials.secret_access_key,
                derived: KeyCache::default(),
                expires_s: None,
            };
            holders.insert(access_key_id, Arc::new(holder));
        }
        Ok(Self { holders, rules, sessions })
    }

    /// First step, before any byte of the body is read: checks everything but the signature; and the
    /// signature, too, if the client declares the body's hash (`x-amz-content-sha256`, which is signed like
    /// every `x-amz-` header).
    ///
    /// # Errors
    /// An [`AuthError`] with AWS's code and text, the first that applies in AWS's order.
    pub fn check(
        &self,
        head: &Parts,
        service: SignedService,
        now: SystemTime,
    ) -> Result<PendingVerification, AuthError> {
        let presented = PresentedSignature::of(head)?;
        let date = AmzDate::parse(&presented.date).ok_or_else(|| {
            AuthError::incomplete(format!(
                "Date must be in ISO-8601 'basic format'. Got '{}'. See http://en.wikipedia.org/wiki/ISO_8601",
                presented.date
            ))
        })?;
        let now = AmzDate::of(now);
        check_age(&date, presented.form, service, now)?;
        let signed = signed_headers(&presented, head)?;
        if presented.algorithm != ALGORITHM {
            return Err(AuthError::incomplete(format!(
                "Unsupported AWS 'algorithm': '{}' (only {ALGORITHM} for now). ",
                presented.algorithm
            )));
        }
        let scope = CredentialScope::parse(&presented.credential)?;
        scope.check(&date, service)?;
        let holder = self.holder(scope.access_key_id, presented.session_token.as_deref());
        let holder = holder.ok_or_else(AuthError::unrecognized)?;

        let known = holder.derived.get(scope.day, scope.region, service);
        let key_is_new = known.is_none();
        let derive = || Arc::new(SigningKey::derive(&holder.secret, scope.day, scope.region, service));
        let key = known.unwrap_or_else(derive);
        let mut canonical = Sha256::new();
        Canonical {
            method: head.method.as_str(),
            path: head.uri.path(),
            is_plain: false,
            query: head.uri.query().unwrap_or_default(),
            headers: &head.headers,
            authority: head.uri.authority().map_or("", |authority| authority.as_str()),
            signed: &signed,
        }
        .write(&mut canonical);
        let is_expired = holder.expires_s.is_some_and(|expires_s| now.unix_s() >= expires_s);
        let rest = match declared_hash(head) {
            Some(hash) => {
                let new = key_is_new.then_some(&*holder);
                check_signature(canonical, &hash, &date, &key, new, &presented.signature)?;
                if is_expired {
                    return Err(AuthError::expired());
                }
                Rest::Declared(hash)
            }
            None => {
                Rest::Signature { canonical, date, key_is_new, signature: presented.signature.into_owned() }
            }
        };
        Ok(PendingVerification { holder, key, rest, is_expired })
    }

    /// The holder of an access key: of a temporary one if there is a token, which must be that key's.
    fn holder(&self, access_key_id: &str, session_token: Option<&str>) -> Option<Arc<Holder>> {
        let Some(token) = session_token else { return self.holders.get(access_key_id).cloned() };
        let (credentials, claims) = self.sessions.open(token)?;
        if credentials.access_key_id != access_key_id {
            return None;
        }
        Some(Arc::new(Holder {
            access_key_id: Arc::from(credentials.access_key_id),
            principal: Arc::new(self.principal(&claims)?),
            secret: credentials.secret_access_key,
            derived: KeyCache::default(),
            expires_s: Some(claims.expires_s),
        }))
    }

    /// As whom a session acts, by the rules of today. `None` if there is nobody of that kind any more.
    pub fn principal(&self, claims: &SessionClaims) -> Option<CallerPrincipal> {
        let session = match &claims.policy {
            None => None,
            Some(text) => Some(Arc::new(IdentityPolicy::parse(text).ok()?)),
        };
        let account = claims.account.as_str();
        match &claims.subject {
            SessionSubject::Role { arn, name } => {
                let role = RoleName::parse(arn)?;
                let identity = self.rules.of_role(account, &role);
                Some(CallerPrincipal::role(account, &role, name, identity, session))
            }
            SessionSubject::User { access_key_id } => {
                let user = &self.holders.get(access_key_id.as_str())?.principal;
                (*user.account == *account).then(|| user.with_session(session))
            }
        }
    }

    /// The key for sessions, with which temporary keys are made.
    pub fn sessions(&self) -> &SessionKey {
        &self.sessions
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
        let PendingVerification { holder, key, rest, is_expired } = pending;
        let hash = hex(body_sha256);
        match rest {
            Rest::Declared(declared) if declared == hash => {}
            Rest::Declared(_) => return Err(AuthError::mismatch()),
            Rest::Signature { canonical, date, key_is_new, signature } => {
                let new = key_is_new.then_some(&*holder);
                check_signature(canonical, &hash, &date, &key, new, &signature)?;
            }
        }
        if is_expired {
            return Err(AuthError::expired());
        }
        Ok(Identity {
            access_key_id: Arc::clone(&holder.access_key_id),
            account: Arc::clone(&holder.principal.account),
            region: Arc::clone(&key.region),
            principal: Arc::clone(&holder.principal),
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

/// Whether the scope of a request names this service; nothing is verified.
pub fn names_service(head: &Parts, service: SignedService) -> bool {
    let presented = PresentedSignature::of(head);
    let scope =
        presented.as_ref().ok().and_then(|presented| CredentialScope::parse(&presented.credential).ok());
    scope.is_some_and(|scope| scope.service == service.name())
}

fn check_age(date: &AmzDate, form: Form, service: SignedService, now: AmzDate) -> Result<(), AuthError> {
    let skew_s = service.skew_max_s();
    let skew_min = skew_s / 60;
    let (valid_s, unit) = match form {
        Form::Header => (skew_s, format!("{skew_min} min.")),
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
    let latest = now.unix_s() + skew_s;
    if date.unix_s() > latest {
        return Err(AuthError::invalid(format!(
            "Signature not yet current: {} is still later than {} ({} + {skew_min} min.)",
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

    fn check(&self, date: &AmzDate, service: SignedService) -> Result<(), AuthError> {
        let mut wrong = Vec::new();
        if !may_be_region(self.region) {
            wrong.push(format!("Credential should be scoped to a valid region, not '{}'. ", self.region));
        }
        let service = service.name();
        if self.service != service {
            wrong.push(format!("Credential should be scoped to correct service: '{service}'. "));
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
