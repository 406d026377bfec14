//! Signing keys: each is derived from the secret for one day, region and service; the newest are cached.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::amz_date::AmzDate;
use super::{ALGORITHM, Secret, SignedService, TERMINATOR};

/// How many signing keys are cached for a secret. Deriving a key again takes a few microseconds.
const REMEMBERED_MAX: usize = 16;

/// An HMAC state ready to sign for one day, one region and one service.
#[derive(Clone)]
pub(super) struct SigningKey {
    day: [u8; 8],
    pub(super) region: Arc<str>,
    service: SignedService,
    mac: Hmac<Sha256>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("region", &self.region).finish_non_exhaustive()
    }
}

impl SigningKey {
    pub(super) fn derive(secret: &Secret, day: &str, region: &str, service: SignedService) -> Self {
        let mut first = Vec::with_capacity(4 + secret.expose().len());
        first.extend_from_slice(b"AWS4");
        first.extend_from_slice(secret.expose().as_bytes());
        let mut key = mac(&first);
        for part in [day, region, service.name(), TERMINATOR] {
            key.update(part.as_bytes());
            key = mac(&key.finalize().into_bytes());
        }
        let mut stored = [0; 8];
        stored.copy_from_slice(&day.as_bytes()[..8]);
        Self { day: stored, region: Arc::from(region), service, mac: key }
    }

    /// Signs the string to sign for this hash of a canonical request.
    pub(super) fn sign(&self, date: &AmzDate, canonical_sha256: &[u8; 32]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        for part in [ALGORITHM, "\n", date.as_str(), "\n"] {
            mac.update(part.as_bytes());
        }
        mac.update(&self.day);
        for part in ["/", &self.region, "/", self.service.name(), "/", TERMINATOR, "\n"] {
            mac.update(part.as_bytes());
        }
        mac.update(&hex(canonical_sha256));
        mac.finalize().into_bytes().into()
    }

    fn is_for(&self, day: &str, region: &str, service: SignedService) -> bool {
        self.day == day.as_bytes() && *self.region == *region && self.service == service
    }
}

/// HMAC takes a key of any length, so that the error of the trait does not occur.
pub(super) fn mac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&Default::default()))
}

/// The keys in use for one secret. Reading takes no lock.
#[derive(Debug, Default)]
pub(super) struct KeyCache {
    keys: ArcSwap<Vec<Arc<SigningKey>>>,
}

impl KeyCache {
    pub(super) fn get(&self, day: &str, region: &str, service: SignedService) -> Option<Arc<SigningKey>> {
        self.keys.load().iter().find(|key| key.is_for(day, region, service)).cloned()
    }

    /// Caches a key that has just verified a request; the oldest one is removed if there are too many.
    pub(super) fn remember(&self, key: &Arc<SigningKey>) {
        self.keys.rcu(|keys| {
            let from = (keys.len() + 1).saturating_sub(REMEMBERED_MAX);
            let is_other = |known: &&Arc<SigningKey>| {
                known.day != key.day || known.region != key.region || known.service != key.service
            };
            let kept = keys[from..].iter().filter(is_other);
            kept.chain([key]).cloned().collect::<Vec<_>>()
        });
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8; 32]) -> [u8; 64] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = [0; 64];
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded_and_keeps_the_newest() {
        let (cache, secret) = (KeyCache::default(), Secret::new("s"));
        for region in 0..40 {
            let key = Arc::new(SigningKey::derive(
                &secret,
                "20260101",
                &format!("r{region}"),
                SignedService::Lambda,
            ));
            cache.remember(&key);
            cache.remember(&key);
        }
        assert!(cache.get("20260101", "r39", SignedService::Lambda).is_some());
        assert!(cache.get("20260101", "r25", SignedService::Lambda).is_some());
        assert!(cache.get("20260101", "r1", SignedService::Lambda).is_none());
        assert!(cache.get("20260101", "r39", SignedService::Sts).is_none());
        assert!(cache.get("20260102", "r39", SignedService::Lambda).is_none());
        assert!(cache.keys.load().len() <= REMEMBERED_MAX);
    }

    #[test]
    fn debug_shows_no_key() {
        let key =
            SigningKey::derive(&Secret::new("wJalrXUtnFEMI"), "20260101", "us-east-1", SignedService::Lambda);
        assert_eq!(format!("{key:?}"), "SigningKey { region: \"us-east-1\", .. }");
    }
}
