//! Provisions: how many provisioned environments of each generation are wanted, and how many there are.
//!
//! It is pure, as the scaler is: it counts, and the dispatcher starts and ends environments. What is started is
//! counted as `starting` until it is ready or given up; only a ready environment serves.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

/// How long nothing is started for a generation after a start of it has failed: some causes pass, such as a host
/// without memory, and a function that cannot be initialised must not cost much.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// The counts of one generation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provision {
    /// Environments that there should be.
    pub wanted: u32,
    /// Environments that can serve, idle or not.
    pub ready: u32,
    /// Environments that are being started.
    pub starting: u32,
    /// Why the last start failed, and when; `None` after a success.
    failure: Option<(Arc<str>, Duration)>,
}

impl Provision {
    /// Why the last start failed; `None` after a success.
    pub fn failure(&self) -> Option<&Arc<str>> {
        self.failure.as_ref().map(|(reason, _)| reason)
    }
}

/// The counts of all generations.
#[derive(Debug, Default)]
pub struct Provisions {
    generations: HashMap<Uuid, Provision>,
    is_stopped: bool,
}

impl Provisions {
    /// Sets how many are wanted of each generation, and none of those that are not named.
    pub fn want(&mut self, wanted: &HashMap<Uuid, u32>) {
        if self.is_stopped {
            return;
        }
        for (generation, provision) in &mut self.generations {
            provision.wanted = wanted.get(generation).copied().unwrap_or(0);
        }
        for (generation, wanted) in wanted {
            self.generations.entry(*generation).or_default().wanted = *wanted;
        }
        self.generations.retain(|_, p| p.wanted > 0 || p.ready > 0 || p.starting > 0);
    }

    /// Wants none of any generation from now on.
    pub fn stop(&mut self) {
        self.want(&HashMap::new());
        self.is_stopped = true;
    }

    /// The generations of which there are more than are wanted, with how many more.
    pub fn excesses(&self) -> Vec<(Uuid, u32)> {
        let excess = |(generation, p): (&Uuid, &Provision)| (*generation, p.ready.saturating_sub(p.wanted));
        self.generations.iter().map(excess).filter(|(_, excess)| *excess > 0).collect()
    }

    /// Whether there are more environments of a generation than are wanted.
    pub fn is_excessive(&self, generation: Uuid) -> bool {
        self.count(generation).is_none_or(|p| p.ready > p.wanted)
    }

    /// Counts those as being started that are missing, and returns their number: 0 for a while after a failure. The
    /// caller must call [`Self::settle`].
    pub fn begin(&mut self, generation: Uuid, now: Duration) -> u32 {
        let Some(p) = self.generations.get_mut(&generation) else { return 0 };
        if p.failure.as_ref().is_some_and(|(_, at)| now < *at + RETRY_AFTER) {
            return 0;
        }
        let missing = p.wanted.saturating_sub(p.ready + p.starting);
        p.starting += missing;
        missing
    }

    /// So many are not being started any more: they are ready, or given up.
    pub fn settle(&mut self, generation: Uuid, count: u32) {
        if let Some(p) = self.generations.get_mut(&generation) {
            p.starting = p.starting.saturating_sub(count);
        }
    }

    /// One more is ready; false where it is not wanted any more, so that it must end.
    #[must_use]
    pub fn add(&mut self, generation: Uuid) -> bool {
        let is_stopped = self.is_stopped;
        let Some(p) = self.generations.get_mut(&generation).filter(|p| !is_stopped && p.ready < p.wanted)
        else {
            return false;
        };
        p.ready += 1;
        p.failure = None;
        true
    }

    /// One that was ready has ended.
    pub fn ended(&mut self, generation: Uuid) {
        if let Some(p) = self.generations.get_mut(&generation) {
            p.ready = p.ready.saturating_sub(1);
        }
    }

    /// A start has failed.
    pub fn fail(&mut self, generation: Uuid, reason: &str, now: Duration) {
        if let Some(p) = self.generations.get_mut(&generation) {
            p.failure = Some((reason.into(), now));
        }
    }

    /// Forgets that starts have failed, so that the next one is at once.
    pub fn retry(&mut self, generation: Uuid) {
        if let Some(p) = self.generations.get_mut(&generation) {
            p.failure = None;
        }
    }

    /// The counts of a generation; `None` where nothing is wanted or there.
    pub fn count(&self, generation: Uuid) -> Option<&Provision> {
        self.generations.get(&generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Uuid = Uuid::from_u128(1);
    const TWO: Uuid = Uuid::from_u128(2);

    fn at(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    fn wanting(wanted: &[(Uuid, u32)]) -> Provisions {
        let mut provisions = Provisions::default();
        provisions.want(&wanted.iter().copied().collect());
        provisions
    }

    #[test]
    fn what_is_missing_is_started_once() {
        let mut p = wanting(&[(ONE, 2)]);
        assert_eq!((p.begin(ONE, at(0)), p.begin(ONE, at(0)), p.begin(TWO, at(0))), (2, 0, 0));
        assert!(p.add(ONE) && p.add(ONE) && !p.add(ONE), "no more than are wanted");
        p.settle(ONE, 2);
        assert_eq!(p.begin(ONE, at(0)), 0);
        p.ended(ONE);
        assert_eq!(p.begin(ONE, at(0)), 1, "one that ended is replaced");
    }

    #[test]
    fn what_is_not_wanted_any_more_is_in_excess() {
        let mut p = wanting(&[(ONE, 2)]);
        assert_eq!(p.begin(ONE, at(0)), 2);
        assert!(p.add(ONE) && p.add(ONE));
        p.settle(ONE, 2);
        assert!(p.excesses().is_empty() && !p.is_excessive(ONE));
        p.want(&[(ONE, 1), (TWO, 1)].into());
        assert_eq!((p.excesses(), p.begin(TWO, at(0))), (vec![(ONE, 1)], 1));
        p.want(&[(ONE, 1)].into());
        assert!(!p.add(TWO), "one that was being started");
        p.stop();
        assert_eq!((p.excesses(), p.is_excessive(ONE)), (vec![(ONE, 2)], true));
        p.want(&[(ONE, 5)].into());
        assert_eq!((p.begin(ONE, at(0)), p.add(ONE)), (0, false));
        p.ended(ONE);
        p.ended(ONE);
        assert!(p.is_excessive(Uuid::from_u128(3)), "one that nobody wants");
    }

    #[test]
    fn a_failure_is_told_and_its_repetition_waits() {
        let mut p = wanting(&[(ONE, 1)]);
        assert_eq!(p.begin(ONE, at(0)), 1);
        p.fail(ONE, "why", at(0));
        p.settle(ONE, 1);
        assert_eq!(p.count(ONE).unwrap().failure().map(|reason| &**reason), Some("why"));
        assert_eq!(p.begin(ONE, at(59)), 0);
        assert_eq!(p.begin(ONE, at(60)), 1);
        p.settle(ONE, 1);
        p.fail(ONE, "again", at(60));
        p.retry(ONE);
        assert_eq!(p.begin(ONE, at(60)), 1);
        assert!(p.add(ONE));
        assert_eq!(p.count(ONE).unwrap().failure(), None);
    }
}
