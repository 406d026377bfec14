//! File descriptors: how many this process may have, and who gets them.
//!
//! A connection that is refused and an environment that is not started are told to their callers; a database
//! that cannot open its log, or a launch that lost half of its descriptors on the way, are not so harmless. So
//! the limit is shared out beforehand: to clients, to environments, and a rest that is nobody's.

use std::sync::Arc;

use nix::sys::resource::{Resource, getrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::remark::Remark;

/// What the server itself opens: the database (64 tables, logs), packages on their way in, the reactor's own.
const RESERVE_MAX: usize = 1024;
/// Client connections that a large limit does not raise further.
const CONNECTIONS_MAX: usize = 10_000;
/// What the server holds of one environment (a listener, pipes, files of its group) with two connections to its
/// Runtime API, each of which takes [`CONNECTION`].
pub const ENVIRONMENT: u32 = 9 + 2 * CONNECTION;
/// What one connection to a Runtime API takes.
pub const CONNECTION: u32 = 2;

/// How a limit of open files is shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// For connections of clients.
    pub connections: usize,
    /// For environments.
    pub environments: usize,
}

impl Shares {
    /// A quarter, but at most 1,024, is the reserve; of the rest clients get a third, but at most 10,000.
    pub fn of(limit: usize) -> Self {
        let rest = limit - (limit / 4).min(RESERVE_MAX);
        let connections = (rest / 3).clamp(1, CONNECTIONS_MAX);
        Self { connections, environments: rest.saturating_sub(connections) }
    }
}

/// The limit of open files of this process; 1,024 where the kernel does not tell.
pub fn limit() -> usize {
    let soft = getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(soft, _)| soft);
    usize::try_from(soft).unwrap_or(usize::MAX)
}

/// Descriptors for environments. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Descriptors {
    free: Arc<Semaphore>,
    limit: usize,
    refused: Arc<Remark>,
}

impl Descriptors {
    /// This many, of a process with this limit.
    pub fn new(count: usize, limit: usize) -> Self {
        let free = Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self { free, limit, refused: Arc::default() }
    }

    /// Those of one environment, for as long as the value lives; `None` where they are used up.
    pub fn take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).try_acquire_many_owned(ENVIRONMENT).ok()
    }

    /// What is left, for further connections of environments.
    pub fn pool(&self) -> Arc<Semaphore> {
        Arc::clone(&self.free)
    }

    /// Tells the operator that an environment was refused, once a minute at most.
    pub fn tell_refused(&self) {
        self.refused.make(|| {
            tracing::warn!(
                limit = self.limit,
                "no execution environment can be started: the limit of open files is reached. Raise it \
                 (LimitNOFILE= of the unit, ulimit -n)"
            );
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_gets_a_share() {
        for (limit, connections, environments) in
            [(512, 128, 256), (1024, 256, 512), (20_000, 6325, 12_651), (1_048_576, 10_000, 1_037_552)]
        {
            assert_eq!(Shares::of(limit), Shares { connections, environments }, "{limit}");
        }
    }

    #[test]
    fn descriptors_come_back() {
        let all = Descriptors::new(2 * ENVIRONMENT as usize + 1, 0);
        let (first, second) = (all.take(), all.take());
        assert!(first.is_some() && second.is_some() && all.take().is_none());
        drop(first);
        assert!(all.take().is_some());
    }
}
