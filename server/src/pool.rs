//! The warm pool: idle execution environments, waiting to be leased again.
//!
//! Invariants: most recently used first, so that few stay warm and the rest grow old; an environment is
//! leased only for the generation of code and configuration it was started with; nothing here ends an
//! environment: what leaves the pool is handed out, and the caller drops it outside of its lock; in a
//! function's stack the frozen come before the thawed, because freezing goes from the oldest on.

use std::collections::{HashMap, VecDeque};
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
    /// One entry for each return since the last freezing, in order: where thawed environments may be. An entry
    /// whose environment was leased again says nothing.
    returned: VecDeque<(Duration, Arc<FunctionKey>)>,
    idle_mib: u64,
    thawed: usize,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { idle: HashMap::new(), returned: VecDeque::new(), idle_mib: 0, thawed: 0 }
    }
}

impl<T: Resident> Pool<T> {
    /// Takes back an environment that finished its invocation.
    pub fn put(&mut self, key: &Arc<FunctionKey>, resident: T, now: Duration) {
        self.idle_mib += u64::from(resident.memory_mib());
        self.thawed += 1;
        self.returned.push_back((now, Arc::clone(key)));
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

    /// Freezes at most `most` of what has been idle since `before`, the longest idle first; returns how many it
    /// froze, and how many are still thawed.
    pub fn freeze_older(&mut self, before: Duration, most: usize) -> (usize, usize) {
        let mut frozen = 0;
        while frozen < most && self.returned.front().is_some_and(|(since, _)| *since <= before) {
            let Some((_, key)) = self.returned.pop_front() else { break };
            frozen += usize::from(self.freeze_first(&key, before));
        }
        self.thawed -= frozen;
        if self.thawed == 0 {
            self.returned.clear();
        }
        (frozen, self.thawed)
    }

    /// Freezes the longest idle of a function's thawed environments if it rests since `before`.
    fn freeze_first(&mut self, key: &Arc<FunctionKey>, before: Duration) -> bool {
        let Some(stack) = self.idle.get_mut(key) else { return false };
        let first = stack.partition_point(|idle| idle.frozen);
        let Some(idle) = stack.get_mut(first).filter(|idle| idle.since <= before) else { return false };
        idle.resident.freeze();
        idle.frozen = true;
        true
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
mod tests;
