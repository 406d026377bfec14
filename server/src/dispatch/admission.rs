//! Admission: the lock of dispatch, and the two things it hands out: permits to run and reservations of memory.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lambd_engine::pool::{Leased, Pool};
use lambd_engine::scaler::{Scaler, ScalerLimits, StartDecision, Throttle};
use lambd_model::FunctionId;
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use crate::environment::{Environment, Reservation};

/// Scaler and pool, which decide together.
#[derive(Debug)]
pub(super) struct Capacity {
    pub(super) scaler: Scaler,
    pub(super) pool: Pool<Environment>,
}

/// The shared state behind its one lock.
#[derive(Debug)]
pub(super) struct Admission {
    state: Mutex<Capacity>,
    /// Paused time in tests stops this clock, too.
    epoch: Instant,
    /// An environment went idle and will want freezing.
    pub(super) rested: Notify,
    /// An invocation ended: a drain may be complete.
    pub(super) ended: Notify,
}

impl Admission {
    pub(super) fn new(limits: ScalerLimits) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(Capacity { scaler: Scaler::new(limits), pool: Pool::default() }),
            epoch: Instant::now(),
            rested: Notify::new(),
            ended: Notify::new(),
        })
    }

    /// Decides under the lock. Never drop an environment inside: its reservation takes the same lock.
    pub(super) fn with<R>(&self, decide: impl FnOnce(&mut Capacity, Duration) -> R) -> R {
        // The state's own methods do not panic half-way; a poisoned lock is as good as a clean one.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        decide(&mut state, self.epoch.elapsed())
    }

    pub(super) fn admit(
        admission: &Arc<Self>,
        function: &Arc<FunctionId>,
    ) -> Result<ConcurrencyPermit, Throttle> {
        admission.with(|state, now| state.scaler.admit(function, now))?;
        Ok(ConcurrencyPermit { admission: Arc::clone(admission), function: Arc::clone(function) })
    }

    pub(super) fn take(&self, generation: Uuid) -> Option<Leased<Environment>> {
        self.with(|state, _| state.pool.take(generation))
    }

    pub(super) fn put(&self, environment: Environment) {
        self.with(|state, now| state.pool.put(environment, now));
        self.rested.notify_one();
    }

    /// Memory and a start for a new environment, ending idle ones of others where the host's memory asks for it.
    pub(super) fn reserve_memory(
        admission: &Arc<Self>,
        function: &Arc<FunctionId>,
        memory_mib: u32,
    ) -> Result<MemoryReservation, Throttle> {
        loop {
            let (start, evicted) = admission.with(|state, now| {
                let evictable = state.pool.idle_mib();
                let start = state.scaler.start(function, memory_mib, evictable, now);
                let evicted = match start {
                    StartDecision::Evict { missing_mib } => state.pool.evict(missing_mib),
                    _ => Vec::new(),
                };
                (start, evicted)
            });
            evicted.into_iter().for_each(Environment::terminate);
            match start {
                StartDecision::Granted => {
                    let (admission, function) = (Arc::clone(admission), Arc::clone(function));
                    return Ok(MemoryReservation { admission, function, memory_mib, started: false });
                }
                StartDecision::Evict { .. } => {}
                StartDecision::Refused(refusal) => return Err(refusal),
            }
        }
    }
}

/// One admitted invocation; dropping it ends the invocation for the scaler.
#[derive(Debug)]
pub(super) struct ConcurrencyPermit {
    admission: Arc<Admission>,
    function: Arc<FunctionId>,
}

impl Drop for ConcurrencyPermit {
    fn drop(&mut self) {
        self.admission.with(|state, now| state.scaler.done(&self.function, now));
        self.admission.ended.notify_waiters();
    }
}

/// Memory of one environment; dropping it gives the memory back.
#[derive(Debug)]
pub(super) struct MemoryReservation {
    admission: Arc<Admission>,
    function: Arc<FunctionId>,
    memory_mib: u32,
    started: bool,
}

/// A start that came to nothing costs the function no token.
impl Reservation for MemoryReservation {
    fn started(&mut self) {
        self.started = true;
    }
}

impl Drop for MemoryReservation {
    fn drop(&mut self) {
        self.admission.with(|state, now| {
            if !self.started {
                state.scaler.refund(&self.function, now);
            }
            state.scaler.ended(&self.function, self.memory_mib, now);
        });
    }
}
