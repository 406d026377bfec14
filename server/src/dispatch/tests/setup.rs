//! The limits of a test.

use std::time::Duration;

use lambd_engine::scaler::ScalerLimits;

use crate::descriptors::{Descriptors, ENVIRONMENT};
use crate::logs::{LogSink, unread};

/// The limits of a test's dispatcher.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) concurrency: u32,
    pub(super) burst: u32,
    pub(super) refill_per_s: u32,
    pub(super) host_memory_mib: u64,
    /// Number of environments for which the descriptors are enough.
    pub(super) environments: usize,
    pub(super) keep_alive: Duration,
    /// The sink of the functions' logs; without one, lines are dropped.
    pub(super) logs: Option<LogSink>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            concurrency: 1000,
            burst: 1000,
            refill_per_s: 100,
            host_memory_mib: 128 * 1000,
            environments: 1000,
            keep_alive: Duration::from_secs(300),
            logs: None,
        }
    }
}

impl Setup {
    pub(super) fn limits(&self) -> ScalerLimits {
        ScalerLimits {
            account_concurrency: self.concurrency,
            burst: self.burst,
            refill_per_s: self.refill_per_s,
            host_memory_mib: self.host_memory_mib,
        }
    }

    pub(super) fn descriptors(&self) -> Descriptors {
        Descriptors::new(self.environments * ENVIRONMENT as usize, 0)
    }

    /// A log without a reader accepts everything and stores nothing.
    pub(super) fn sink(&self) -> LogSink {
        self.logs.clone().unwrap_or_else(|| unread().0)
    }
}
