//! A token bucket that gives whole tokens and counts fractions exactly.

use std::time::Duration;

const NANOS_PER_S: u128 = 1_000_000_000;

/// A bucket that starts full and fills continuously up to its capacity.
#[derive(Debug, Clone)]
pub(super) struct TokenBucket {
    capacity: u32,
    refill_per_s: u32,
    /// Tokens times 10⁹, so that no fraction is lost to rounding.
    level_nanos: u128,
    at: Duration,
}

impl TokenBucket {
    pub(super) fn full(capacity: u32, refill_per_s: u32, now: Duration) -> Self {
        Self { capacity, refill_per_s, level_nanos: u128::from(capacity) * NANOS_PER_S, at: now }
    }

    pub(super) fn has_token(&mut self, now: Duration) -> bool {
        self.refill(now);
        self.level_nanos >= NANOS_PER_S
    }

    /// Takes one token if there is one.
    pub(super) fn take(&mut self, now: Duration) -> bool {
        let enough = self.has_token(now);
        if enough {
            self.level_nanos -= NANOS_PER_S;
        }
        enough
    }

    /// Returns a token that was not used.
    pub(super) fn refund(&mut self, now: Duration) {
        self.refill(now);
        self.level_nanos = (self.level_nanos + NANOS_PER_S).min(u128::from(self.capacity) * NANOS_PER_S);
    }

    pub(super) fn is_full(&mut self, now: Duration) -> bool {
        self.refill(now);
        self.level_nanos == u128::from(self.capacity) * NANOS_PER_S
    }

    fn refill(&mut self, now: Duration) {
        let gained = now.saturating_sub(self.at).as_nanos() * u128::from(self.refill_per_s);
        self.level_nanos = (self.level_nanos + gained).min(u128::from(self.capacity) * NANOS_PER_S);
        self.at = self.at.max(now);
    }
}
