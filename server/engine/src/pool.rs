//! The pool: idle execution environments that wait for their next lease.
//!
//! Invariants:
//! - The most recently used environment is leased first, so that few stay in use and the others grow old.
//! - An environment is leased only for the generation that it was started for, so that several versions of a
//!   function can be here at the same time.
//! - The pool ends no environment: it returns those that leave, and the caller drops them outside of its
//!   lock.
//! - In a generation's stack frozen environments come before thawed ones, because the oldest is frozen first.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use uuid::Uuid;

/// What the pool must know about an environment.
pub trait Resident {
    /// The generation of the version for which it was started.
    fn generation(&self) -> Uuid;
    /// Memory that was granted to it, MiB.
    fn memory_mib(&self) -> u32;
    /// Stops all its processes. Must be quick, because it runs under the dispatcher's lock.
    fn freeze(&mut self);
}

/// An environment that was taken out of the pool for an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leased<T> {
    /// It can take an event at once.
    Thawed(T),
    /// It must be thawed first.
    Frozen(T),
}

/// What [`Pool::freeze_older`] has left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freezing {
    /// Every idle environment is frozen.
    Done,
    /// More may be due now.
    MoreNow,
    /// The rest has not been idle for long enough.
    Later,
}

#[derive(Debug)]
struct Idle<T> {
    resident: T,
    since: Duration,
    frozen: bool,
}

/// Idle environments by generation. `now` is the dispatcher's clock and never goes back.
#[derive(Debug)]
pub struct Pool<T> {
    /// For each generation, in the order of their return: the last one is the most recently used.
    idle: HashMap<Uuid, Vec<Idle<T>>>,
    /// One entry for each return since the last freezing, in order: shows where thawed environments may be.
    /// An entry whose environment was leased again has no meaning.
    returned: VecDeque<(Duration, Uuid)>,
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
    pub fn put(&mut self, resident: T, now: Duration) {
        let generation = resident.generation();
        self.idle_mib += u64::from(resident.memory_mib());
        self.thawed += 1;
        self.returned.push_back((now, generation));
        self.idle.entry(generation).or_default().push(Idle { resident, since: now, frozen: false });
    }

    /// Leases the most recently used environment of this generation.
    pub fn take(&mut self, generation: Uuid) -> Option<Leased<T>> {
        let stack = self.idle.get_mut(&generation)?;
        let idle = stack.pop()?;
        if stack.is_empty() {
            self.idle.remove(&generation);
        }
        let frozen = idle.frozen;
        let resident = self.count_out(idle);
        Some(if frozen { Leased::Frozen(resident) } else { Leased::Thawed(resident) })
    }

    /// Freezes at most `most` of the environments that have been idle since `before`, the longest idle first.
    pub fn freeze_older(&mut self, before: Duration, most: usize) -> Freezing {
        let mut frozen = 0;
        while frozen < most && self.returned.front().is_some_and(|(since, _)| *since <= before) {
            let Some((_, generation)) = self.returned.pop_front() else { break };
            frozen += usize::from(self.freeze_first(generation, before));
        }
        self.thawed -= frozen;
        if self.thawed == 0 {
            self.returned.clear();
            Freezing::Done
        } else if frozen == most {
            Freezing::MoreNow
        } else {
            Freezing::Later
        }
    }

    /// Freezes the longest idle of a generation's thawed environments if it has been idle since `before`.
    fn freeze_first(&mut self, generation: Uuid, before: Duration) -> bool {
        let Some(stack) = self.idle.get_mut(&generation) else { return false };
        let first = stack.partition_point(|idle| idle.frozen);
        let Some(idle) = stack.get_mut(first).filter(|idle| idle.since <= before) else { return false };
        idle.resident.freeze();
        idle.frozen = true;
        true
    }

    /// Removes and returns the environments that have been idle since `before`.
    pub fn expire_older(&mut self, before: Duration) -> Vec<T> {
        self.remove_where(|idle| idle.since <= before)
    }

    /// Removes and returns all environments of a generation.
    pub fn retire(&mut self, generation: Uuid) -> Vec<T> {
        let gone = self.idle.remove(&generation).unwrap_or_default();
        gone.into_iter().map(|idle| self.count_out(idle)).collect()
    }

    /// Removes and returns the longest idle environments until they free at least `mib`.
    pub fn evict(&mut self, mib: u64) -> Vec<T> {
        let (mut out, mut freed) = (Vec::new(), 0);
        while freed < mib {
            let oldest = self.idle.iter().filter_map(|(g, s)| s.first().map(|i| (i.since, *g))).min();
            let Some((_, generation)) = oldest else { break };
            let Some(stack) = self.idle.get_mut(&generation) else { break };
            let idle = stack.remove(0);
            if stack.is_empty() {
                self.idle.remove(&generation);
            }
            freed += u64::from(idle.resident.memory_mib());
            out.push(self.count_out(idle));
        }
        out
    }

    /// Removes and returns all environments.
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
        out.into_iter().map(|idle| self.count_out(idle)).collect()
    }

    fn count_out(&mut self, idle: Idle<T>) -> T {
        self.idle_mib -= u64::from(idle.resident.memory_mib());
        self.thawed -= usize::from(!idle.frozen);
        idle.resident
    }
}

#[cfg(test)]
mod tests;
