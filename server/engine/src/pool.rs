//! The pool: idle execution environments that wait for their next lease.
//!
//! Invariants:
//! - The most recently used environment is leased first, so that few stay in use and the others grow old.
//! - An environment is leased only for the generation that it was started for, so that several versions of a
//!   function can be here at the same time.
//! - A provisioned environment is leased as one, and neither expires nor makes room for others.
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
    /// Whether it is provisioned: it stays until it is not wanted any more.
    fn is_provisioned(&self) -> bool;
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

/// The environments that serve the same invocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Stack {
    generation: Uuid,
    is_provisioned: bool,
}

/// Idle environments by generation. `now` is the dispatcher's clock and never goes back.
#[derive(Debug)]
pub struct Pool<T> {
    /// In the order of their return: the last one is the most recently used.
    idle: HashMap<Stack, Vec<Idle<T>>>,
    /// One entry for each return since the last freezing, in order: shows where thawed environments may be.
    /// An entry whose environment was leased again has no meaning.
    returned: VecDeque<(Duration, Stack)>,
    /// Without those that are provisioned.
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
        let stack = Stack { generation: resident.generation(), is_provisioned: resident.is_provisioned() };
        if !stack.is_provisioned {
            self.idle_mib += u64::from(resident.memory_mib());
        }
        self.thawed += 1;
        self.returned.push_back((now, stack));
        self.idle.entry(stack).or_default().push(Idle { resident, since: now, frozen: false });
    }

    /// Leases the most recently used environment of this generation that is not provisioned.
    pub fn take(&mut self, generation: Uuid) -> Option<Leased<T>> {
        self.take_from(Stack { generation, is_provisioned: false })
    }

    /// Leases the most recently used provisioned environment of this generation.
    pub fn take_provisioned(&mut self, generation: Uuid) -> Option<Leased<T>> {
        self.take_from(Stack { generation, is_provisioned: true })
    }

    /// Number of idle provisioned environments of a generation.
    pub fn idle_provisioned(&self, generation: Uuid) -> usize {
        self.idle.get(&Stack { generation, is_provisioned: true }).map_or(0, Vec::len)
    }

    /// Removes and returns the provisioned environments that have ended by themselves.
    pub fn remove_ended_provisioned(&mut self, has_ended: impl Fn(&mut T) -> bool) -> Vec<T> {
        self.remove_where(|stack, idle| stack.is_provisioned && has_ended(&mut idle.resident))
    }

    fn take_from(&mut self, key: Stack) -> Option<Leased<T>> {
        let stack = self.idle.get_mut(&key)?;
        let idle = stack.pop()?;
        if stack.is_empty() {
            self.idle.remove(&key);
        }
        let frozen = idle.frozen;
        let resident = self.count_out(idle);
        Some(if frozen { Leased::Frozen(resident) } else { Leased::Thawed(resident) })
    }

    /// Freezes at most `most` of the environments that have been idle since `before`, the longest idle first.
    pub fn freeze_older(&mut self, before: Duration, most: usize) -> Freezing {
        let mut frozen = 0;
        while frozen < most && self.returned.front().is_some_and(|(since, _)| *since <= before) {
            let Some((_, stack)) = self.returned.pop_front() else { break };
            frozen += usize::from(self.freeze_first(stack, before));
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

    /// Freezes the longest idle of a stack's thawed environments if it has been idle since `before`.
    fn freeze_first(&mut self, stack: Stack, before: Duration) -> bool {
        let Some(stack) = self.idle.get_mut(&stack) else { return false };
        let first = stack.partition_point(|idle| idle.frozen);
        let Some(idle) = stack.get_mut(first).filter(|idle| idle.since <= before) else { return false };
        idle.resident.freeze();
        idle.frozen = true;
        true
    }

    /// Removes and returns the environments that have been idle since `before`.
    pub fn expire_older(&mut self, before: Duration) -> Vec<T> {
        self.remove_where(|stack, idle| !stack.is_provisioned && idle.since <= before)
    }

    /// Removes and returns all environments of a generation.
    pub fn retire(&mut self, generation: Uuid) -> Vec<T> {
        let stacks = [false, true].map(|is_provisioned| Stack { generation, is_provisioned });
        let gone: Vec<_> = stacks.iter().filter_map(|stack| self.idle.remove(stack)).flatten().collect();
        gone.into_iter().map(|idle| self.count_out(idle)).collect()
    }

    /// Removes and returns the longest idle environments until they free at least `mib`.
    pub fn evict(&mut self, mib: u64) -> Vec<T> {
        let (mut out, mut freed) = (Vec::new(), 0);
        while freed < mib {
            let expendable = self.idle.iter().filter(|(key, _)| !key.is_provisioned);
            let oldest =
                expendable.filter_map(|(key, stack)| stack.first().map(|idle| (idle.since, *key))).min();
            let Some((_, key)) = oldest else { break };
            let Some(stack) = self.idle.get_mut(&key) else { break };
            let idle = stack.remove(0);
            if stack.is_empty() {
                self.idle.remove(&key);
            }
            freed += u64::from(idle.resident.memory_mib());
            out.push(self.count_out(idle));
        }
        out
    }

    /// Removes and returns all environments.
    pub fn clear(&mut self) -> Vec<T> {
        self.remove_where(|_, _| true)
    }

    /// Memory that [`Self::evict`] could free, MiB.
    pub fn idle_mib(&self) -> u64 {
        self.idle_mib
    }

    fn remove_where(&mut self, gone: impl Fn(Stack, &mut Idle<T>) -> bool) -> Vec<T> {
        let mut out = Vec::new();
        for (key, stack) in &mut self.idle {
            out.extend(stack.extract_if(.., |idle| gone(*key, idle)));
        }
        self.idle.retain(|_, stack| !stack.is_empty());
        out.into_iter().map(|idle| self.count_out(idle)).collect()
    }

    fn count_out(&mut self, idle: Idle<T>) -> T {
        if !idle.resident.is_provisioned() {
            self.idle_mib -= u64::from(idle.resident.memory_mib());
        }
        self.thawed -= usize::from(!idle.frozen);
        idle.resident
    }
}

#[cfg(test)]
mod tests;
