//! File descriptors: how many this process may have, and what they are used for.
//!
//! Callers learn when a connection is refused or an environment is not started. But a database that cannot
//! open its log, or a launch that loses some of its descriptors, does more harm. So the limit is divided in
//! advance: for clients, for environments, and a reserve for everything else.

use std::sync::Arc;

use nix::sys::resource::{Resource, getrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::remark::Remark;

/// The reserve for the server itself: the database (64 tables, logs), incoming packages, the reactor.
const RESERVE_MAX: usize = 1024;
/// Most client connections; a larger limit does not give more.
const CONNECTIONS_MAX: usize = 10_000;
/// Descriptors of the server for one environment (a listener, pipes, files of its control group) with two
/// connections to its Runtime API.
pub const ENVIRONMENT: u32 = 9 + 2 * CONNECTION;
/// Descriptors for one connection to a Runtime API.
pub const CONNECTION: u32 = 2;

/// How the limit of open files is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// Descriptors for connections of clients.
    pub connections: usize,
    /// Descriptors for environments.
    pub environments: usize,
}

impl Shares {
    /// A quarter, at most 1,024, is the reserve. Clients get a third of the rest, at most 10,000.
    pub fn of(limit: usize) -> Self {
        let rest = limit - (limit / 4).min(RESERVE_MAX);
        let connections = (rest / 3).clamp(1, CONNECTIONS_MAX);
        Self { connections, environments: rest.saturating_sub(connections) }
    }
}

/// The limit of open files of this process; 1,024 if the kernel does not say.
pub fn limit() -> usize {
    let soft = getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(soft, _)| soft);
    usize::try_from(soft).unwrap_or(usize::MAX)
}

/// Descriptors that environments may use. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Descriptors {
    free: Arc<Semaphore>,
    limit: usize,
    refused: Arc<Remark>,
}

impl Descriptors {
    /// A pool of `count` descriptors, in a process whose limit is `limit`.
    pub fn new(count: usize, limit: usize) -> Self {
        let free = Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self { free, limit, refused: Arc::default() }
    }

    /// Takes the descriptors of one environment, until the value is dropped; `None` if too few are left.
    pub fn take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).try_acquire_many_owned(ENVIRONMENT).ok()
    }

    /// The remaining descriptors, for further connections to Runtime APIs.
    pub fn pool(&self) -> Arc<Semaphore> {
        Arc::clone(&self.free)
    }

    /// Warns the operator that an environment was refused, once a minute at most.
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
    fn clients_and_environments_get_their_shares() {
        for (limit, connections, environments) in
            [(512, 128, 256), (1024, 256, 512), (20_000, 6325, 12_651), (1_048_576, 10_000, 1_037_552)]
        {
            assert_eq!(Shares::of(limit), Shares { connections, environments }, "{limit}");
        }
    }

    #[test]
    fn descriptors_are_returned_on_drop() {
        let all = Descriptors::new(2 * ENVIRONMENT as usize + 1, 0);
        let (first, second) = (all.take(), all.take());
        assert!(first.is_some() && second.is_some() && all.take().is_none());
        drop(first);
        assert!(all.take().is_some());
    }
}
