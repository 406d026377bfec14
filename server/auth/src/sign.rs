//! Signs this program's own calls (`lambd logs`) and the addresses that it gives to callers.

use std::fmt::Write as _;
use std::time::SystemTime;

use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};

use super::amz_date::AmzDate;
use super::canonical::{Canonical, encoded};
use super::key::{SigningKey, hex};
use super::{ALGORITHM, Credentials, SignedService, TERMINATOR};

/// Why a request cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// There is neither a `host` header nor an authority in the address.
    #[error("the request names no host")]
    NoHost,
    /// A part contains characters that a header cannot have.
    #[error("credentials or region have characters that a header cannot have")]
    NotAHeader(#[from] header::InvalidHeaderValue),
}

/// Signs for one pair of keys and one region, at one moment.
#[derive(Debug)]
pub struct Signer<'a> {
    /// The keys to sign with.
    pub credentials: &'a Credentials,
    /// The region of the scope.
    pub region: &'a str,
    /// The service that is called.
    pub service: SignedService,
    /// The time of the signature.
    pub now: SystemTime,
}

impl<'a> Signer<'a> {
    /// A signer of calls to Lambda for the current time.
    pub fn new(credentials: &'a Credentials, region: &'a str) -> Self {
        Self { credentials, region, service: SignedService::Lambda, now: SystemTime::now() }
    }

    /// Adds `host` (if absent), `x-amz-date` and `authorization`. All headers are signed, so none may be
    /// changed afterwards.
    ///
    /// # Errors
    /// [`SignError`] if the request names no host or a part contains characters that a header cannot have.
    pub fn sign(&self, head: &mut Parts, body: &[u8]) -> Result<(), SignError> {
        let date = AmzDate::of(self.now);
        if !head.headers.contains_key(header::HOST) {
            let host = head.uri.authority().ok_or(SignError::NoHost)?;
            head.headers.insert(header::HOST, HeaderValue::from_str(host.as_str())?);
        }
        head.headers.remove(header::AUTHORIZATION);
        head.headers.insert("x-amz-date", HeaderValue::from_str(date.as_str())?);
        let mut signed: Vec<&str> = head.headers.keys().map(http::HeaderName::as_str).collect();
        signed.sort_unstable();
        let canonical = Canonical {
            method: head.method.as_str(),
            path: head.uri.path(),
            is_plain: self.service == SignedService::S3,
            query: head.uri.query().unwrap_or_default(),
            headers: &head.headers,
            authority: "",
            signed: &signed,
        };
        let value = format!(
            "{ALGORITHM} Credential={}, SignedHeaders={}, Signature={}",
            self.credential(&date),
            signed.join(";"),
            self.signature(&date, &canonical, body)
        );
        head.headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&value)?);
        Ok(())
    }

    /// Signs an address that works with this method, without a body and without further headers, until
    /// `expires_s` seconds after `now` (at most [`super::PRESIGNED_MAX_S`]).
    ///
    /// `origin` is scheme and authority (`http://127.0.0.1:3001`); `path_and_query` must be encoded already.
    pub fn presign(&self, method: &str, origin: &str, path_and_query: &str, expires_s: u32) -> String {
        let date = AmzDate::of(self.now);
        let (path, given) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let mut query = String::with_capacity(given.len() + 320);
        if !given.is_empty() {
            query.push_str(given);
            query.push('&');
        }
        let expires_s = expires_s.clamp(1, super::PRESIGNED_MAX_S);
        let credential = encoded(&self.credential(&date));
        // Writing to a String cannot fail.
        let _ = write!(
            query,
            "X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={credential}&X-Amz-Date={}\
             &X-Amz-Expires={expires_s}&X-Amz-SignedHeaders=host",
            date.as_str()
        );
        let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
        let canonical = Canonical {
            method,
            path,
            is_plain: self.service == SignedService::S3,
            query: &query,
            headers: &HeaderMap::new(),
            authority: authority.trim_end_matches('/'),
            signed: &["host"],
        };
        let signature = match self.service {
            SignedService::S3 => self.signature_of(&date, &canonical, b"UNSIGNED-PAYLOAD"),
            SignedService::Lambda | SignedService::Sts => self.signature(&date, &canonical, b""),
        };
        format!("{}{path}?{query}&X-Amz-Signature={signature}", origin.trim_end_matches('/'))
    }

    fn credential(&self, date: &AmzDate) -> String {
        let id = &self.credentials.access_key_id;
        format!("{id}/{}/{}/{}/{TERMINATOR}", date.day(), self.region, self.service.name())
    }

    fn signature(&self, date: &AmzDate, canonical: &Canonical<'_>, body: &[u8]) -> String {
        self.signature_of(date, canonical, &hex(&Sha256::digest(body).into()))
    }

    /// Signs with what stands for the body.
    fn signature_of(&self, date: &AmzDate, canonical: &Canonical<'_>, body: &[u8]) -> String {
        let mut hash = Sha256::new();
        canonical.write(&mut hash);
        hash.update(body);
        let key =
            SigningKey::derive(&self.credentials.secret_access_key, date.day(), self.region, self.service);
        String::from_utf8_lossy(&hex(&key.sign(date, &hash.finalize().into()))).into_owned()
    }
}
