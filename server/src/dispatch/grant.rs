//! The lock of dispatch, and the two things it hands out: permits to run and grants of memory.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lambd_engine::pool::Pool;
use lambd_engine::scaler::{Limits, Refusal, Scaler, Start};
use lambd_model::FunctionId;
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use crate::environment::{Environment, Reservation};

/// Scaler and pool, which decide together.
#[derive(Debug)]
pub(super) struct State {
    pub(super) scaler: Scaler,
    pub(super) pool: Pool<Environment>,
}

/// The shared state behind its one lock.
#[derive(Debug)]
pub(super) struct Core {
    state: Mutex<State>,
    /// Paused time in tests stops this clock, too.
    epoch: Instant,
    /// An environment went idle and will want freezing.
    pub(super) rested: Notify,
    /// An invocation ended: a drain may be complete.
    pub(super) ended: Notify,
}

impl Core {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State { scaler: Scaler::new(limits), pool: Pool::default() }),
            epoch: Instant::now(),
            rested: Notify::new(),
            ended: Notify::new(),
        })
    }

    /// Decides under the lock. Never drop an environment inside: its grant takes the same lock.
    pub(super) fn with<R>(&self, decide: impl FnOnce(&mut State, Duration) -> R) -> R {
        // The state's own methods do not panic half-way; a poisoned lock is as good as a clean one.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        decide(&mut state, self.epoch.elapsed())
    }

    pub(super) fn admit(core: &Arc<Self>, function: &Arc<FunctionId>) -> Result<Permit, Refusal> {
        core.with(|state, now| state.scaler.admit(function, now))?;
        Ok(Permit { core: Arc::clone(core), function: Arc::clone(function) })
    }

    pub(super) fn take(&self, generation: Uuid) -> Option<(Environment, bool)> {
        self.with(|state, _| state.pool.take(generation))
    }

    pub(super) fn put(&self, environment: Environment) {
        self.with(|state, now| state.pool.put(environment, now));
        self.rested.notify_one();
    }

    /// A grant for a new environment, ending idle ones of others where the host's memory asks for it.
    pub(super) fn grant(
        core: &Arc<Self>,
        function: &Arc<FunctionId>,
        memory_mib: u32,
    ) -> Result<Grant, Refusal> {
        loop {
            let (start, evicted) = core.with(|state, now| {
                let evictable = state.pool.idle_mib();
                let start = state.scaler.start(function, memory_mib, evictable, now);
                let evicted = match start {
                    Start::Evict { missing_mib } => state.pool.evict(missing_mib),
                    _ => Vec::new(),
                };
                (start, evicted)
            });
            evicted.into_iter().for_each(|environment| drop(environment.bury()));
            match start {
                Start::Granted => {
                    let (core, function) = (Arc::clone(core), Arc::clone(function));
                    return Ok(Grant { core, function, memory_mib, started: false });
                }
                Start::Evict { .. } => {}
                Start::Refused(refusal) => return Err(refusal),
            }
        }
    }
}

/// One admitted invocation; dropping it ends the invocation for the scaler.
#[derive(Debug)]
pub(super) struct Permit {
    core: Arc<Core>,
    function: Arc<FunctionId>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.core.with(|state, now| state.scaler.done(&self.function, now));
        self.core.ended.notify_waiters();
    }
}

/// Memory of one environment; dropping it gives the memory back.
#[derive(Debug)]
pub(super) struct Grant {
    core: Arc<Core>,
    function: Arc<FunctionId>,
    memory_mib: u32,
    started: bool,
}

/// A start that came to nothing costs the function no token.
impl Reservation for Grant {
    fn started(&mut self) {
        self.started = true;
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        self.core.with(|state, now| {
            if !self.started {
                state.scaler.refund(&self.function, now);
            }
            state.scaler.ended(&self.function, self.memory_mib, now);
        });
    }
}
