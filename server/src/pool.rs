//! The warm pool: idle execution environments, waiting to be leased again.
//!
//! Invariants: most recently used first, so that few stay warm and the rest grow old; an environment is
//! leased only for the generation of code and configuration it was started with; nothing here ends an
//! environment: what leaves the pool is handed out, and the caller drops it outside of its lock.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::model::FunctionKey;

/// What the pool must know of an environment.
pub trait Resident {
    /// The configuration it was started with.
    fn generation(&self) -> Uuid;
    /// Memory it was granted, MiB.
    fn memory_mib(&self) -> u32;
    /// Stops all its processes; must be quick, it runs under the dispatcher's lock.
    fn freeze(&mut self);
}

#[derive(Debug)]
struct Idle<T> {
    resident: T,
    since: Duration,
    frozen: bool,
}

/// Idle environments by function. `now` is the dispatcher's clock and never goes back.
#[derive(Debug)]
pub struct Pool<T> {
    /// Per function in the order of their return: the last one is the most recently used.
    idle: HashMap<Arc<FunctionKey>, Vec<Idle<T>>>,
    idle_mib: u64,
    thawed: usize,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { idle: HashMap::new(), idle_mib: 0, thawed: 0 }
    }
}

impl<T: Resident> Pool<T> {
    /// Takes back an environment that finished its invocation.
    pub fn put(&mut self, key: &Arc<FunctionKey>, resident: T, now: Duration) {
        self.idle_mib += u64::from(resident.memory_mib());
        self.thawed += 1;
        self.idle.entry(Arc::clone(key)).or_default().push(Idle { resident, since: now, frozen: false });
    }

    /// Leases the most recently used environment of this generation, and whether it must be thawed.
    pub fn take(&mut self, key: &Arc<FunctionKey>, generation: Uuid) -> Option<(T, bool)> {
        let stack = self.idle.get_mut(key)?;
        let at = stack.iter().rposition(|idle| idle.resident.generation() == generation)?;
        let idle = stack.remove(at);
        if stack.is_empty() {
            self.idle.remove(key);
        }
        Some(self.count_out(idle))
    }

    /// Freezes at most `most` of what has been idle since `before`; returns how many it froze, and how many are
    /// still thawed.
    pub fn freeze_older(&mut self, before: Duration, most: usize) -> (usize, usize) {
        let mut frozen = 0;
        if self.thawed > 0 {
            // The oldest are frozen already: look from the young end until one is.
            let thawed = self.idle.values_mut().flat_map(|s| s.iter_mut().rev().take_while(|i| !i.frozen));
            for idle in thawed.filter(|idle| idle.since <= before).take(most) {
                idle.resident.freeze();
                idle.frozen = true;
                frozen += 1;
            }
            self.thawed -= frozen;
        }
        (frozen, self.thawed)
    }

    /// Gives out what has been idle since `before`.
    pub fn expire_older(&mut self, before: Duration) -> Vec<T> {
        self.remove_where(|idle| idle.since <= before)
    }

    /// Gives out every environment of a function but those of `keep`.
    pub fn retire(&mut self, key: &FunctionKey, keep: Option<Uuid>) -> Vec<T> {
        let Some(stack) = self.idle.get_mut(key) else { return Vec::new() };
        let gone: Vec<_> = stack.extract_if(.., |idle| Some(idle.resident.generation()) != keep).collect();
        if stack.is_empty() {
            self.idle.remove(key);
        }
        gone.into_iter().map(|idle| self.count_out(idle).0).collect()
    }

    /// Gives out the longest idle environments until they free at least `mib`.
    pub fn evict(&mut self, mib: u64) -> Vec<T> {
        let (mut out, mut freed) = (Vec::new(), 0);
        while freed < mib {
            let oldest = self.idle.iter().filter_map(|(k, s)| s.first().map(|i| (i.since, k))).min();
            let Some(key) = oldest.map(|(_, key)| Arc::clone(key)) else { break };
            let Some(stack) = self.idle.get_mut(&key) else { break };
            let idle = stack.remove(0);
            if stack.is_empty() {
                self.idle.remove(&key);
            }
            freed += u64::from(idle.resident.memory_mib());
            out.push(self.count_out(idle).0);
        }
        out
    }

    /// Gives out everything.
    pub fn clear(&mut self) -> Vec<T> {
        self.remove_where(|_| true)
    }

    /// Memory that [`Self::evict`] could free, MiB.
    pub fn idle_mib(&self) -> u64 {
        self.idle_mib
    }

    fn remove_where(&mut self, gone: impl Fn(&Idle<T>) -> bool) -> Vec<T> {
        let mut out = Vec::new();
        for stack in self.idle.values_mut() {
            out.extend(stack.extract_if(.., |idle| gone(idle)));
        }
        self.idle.retain(|_, stack| !stack.is_empty());
        out.into_iter().map(|idle| self.count_out(idle).0).collect()
    }

    fn count_out(&mut self, idle: Idle<T>) -> (T, bool) {
        self.idle_mib -= u64::from(idle.resident.memory_mib());
        self.thawed -= usize::from(!idle.frozen);
        (idle.resident, idle.frozen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Fake(&'static str, Uuid, u32);

    impl Resident for Fake {
        fn generation(&self) -> Uuid {
            self.1
        }
        fn memory_mib(&self) -> u32 {
            self.2
        }
        fn freeze(&mut self) {}
    }

    const OLD: Uuid = Uuid::from_u128(1);
    const NEW: Uuid = Uuid::from_u128(2);

    fn key(name: &str) -> Arc<FunctionKey> {
        Arc::new(FunctionKey { region: "r".to_owned(), name: name.to_owned() })
    }

    fn at(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    fn names(fakes: &[Fake]) -> Vec<&str> {
        fakes.iter().map(|f| f.0).collect()
    }

    #[test]
    fn most_recently_used_first_and_only_the_same_generation() {
        let mut pool = Pool::default();
        pool.put(&key("f"), Fake("a", NEW, 1), at(1));
        pool.put(&key("f"), Fake("b", NEW, 1), at(2));
        pool.put(&key("f"), Fake("old", OLD, 1), at(3));
        assert_eq!(pool.take(&key("f"), NEW).unwrap().0.0, "b");
        assert_eq!(pool.take(&key("f"), NEW).unwrap().0.0, "a");
        assert!(pool.take(&key("f"), NEW).is_none() && pool.take(&key("g"), NEW).is_none());
        assert_eq!(names(&pool.retire(&key("f"), Some(NEW))), ["old"]);
        assert_eq!(pool.idle_mib(), 0);
    }

    #[test]
    fn freezing_is_lazy_and_remembered() {
        let mut pool = Pool::default();
        pool.put(&key("f"), Fake("a", NEW, 1), at(1));
        pool.put(&key("f"), Fake("b", NEW, 1), at(5));
        assert_eq!(pool.freeze_older(at(2), 9), (1, 1));
        assert_eq!(pool.freeze_older(at(2), 9), (0, 1));
        assert_eq!(pool.take(&key("f"), NEW), Some((Fake("b", NEW, 1), false)));
        assert_eq!(pool.take(&key("f"), NEW), Some((Fake("a", NEW, 1), true)));
        assert_eq!(pool.freeze_older(at(9), 9), (0, 0));
    }

    #[test]
    fn freezing_goes_in_small_steps() {
        let mut pool = Pool::default();
        for name in ["f", "g", "h"] {
            pool.put(&key(name), Fake("x", NEW, 1), at(1));
        }
        assert_eq!(pool.freeze_older(at(2), 2), (2, 1));
        assert_eq!(pool.freeze_older(at(2), 2), (1, 0));
    }

    #[test]
    fn eviction_takes_the_longest_idle_of_any_function() {
        let mut pool = Pool::default();
        pool.put(&key("f"), Fake("f1", NEW, 100), at(2));
        pool.put(&key("g"), Fake("g1", NEW, 100), at(1));
        pool.put(&key("f"), Fake("f2", NEW, 100), at(3));
        assert_eq!(names(&pool.evict(150)), ["g1", "f1"]);
        assert_eq!(pool.idle_mib(), 100);
        assert_eq!(names(&pool.evict(1000)), ["f2"]);
        assert!(pool.evict(1).is_empty());
    }

    #[test]
    fn expiry_and_clearing() {
        let mut pool = Pool::default();
        for (i, name) in ["a", "b", "c"].into_iter().enumerate() {
            pool.put(&key("f"), Fake(name, NEW, 10), at(i as u64));
        }
        assert_eq!(names(&pool.expire_older(at(1))), ["a", "b"]);
        assert_eq!(names(&pool.clear()), ["c"]);
        assert_eq!((pool.idle_mib(), pool.freeze_older(at(9), 9)), (0, (0, 0)));
    }
}
