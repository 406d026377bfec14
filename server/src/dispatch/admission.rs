//! Admission: the lock of dispatch, the permits to run, and the reservations of memory.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lambd_engine::pool::{Leased, Pool};
use lambd_engine::scaler::{Scaler, ScalerLimits, StartDecision, Throttle};
use lambd_model::FunctionId;
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use crate::environment::{Environment, Reservation};

/// Scaler and pool; both are needed for each decision.
#[derive(Debug)]
pub(super) struct Capacity {
    pub(super) scaler: Scaler,
    pub(super) pool: Pool<Environment>,
}

/// The state that all invocations share, with its one lock.
#[derive(Debug)]
pub(super) struct Admission {
    state: Mutex<Capacity>,
    /// Tests with paused time also pause this clock.
    epoch: Instant,
    /// Notified when an environment has become idle, and is to be frozen later.
    pub(super) rested: Notify,
    /// Notified when an invocation has ended, which may complete a drain.
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

    /// Decides under the lock. Never drop an environment inside, because its reservation takes the same lock.
    pub(super) fn with<R>(&self, decide: impl FnOnce(&mut Capacity, Duration) -> R) -> R {
        // The methods of the state do not panic half-way, so that the state is right even after a panic.
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

    /// Reserves memory and a start for a new environment; ends idle ones if the host's memory is used up.
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

/// One admitted invocation; when it is dropped, the scaler counts the invocation as ended.
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

/// The memory of one environment; returned when dropped.
#[derive(Debug)]
pub(super) struct MemoryReservation {
    admission: Arc<Admission>,
    function: Arc<FunctionId>,
    memory_mib: u32,
    started: bool,
}

/// A start that failed costs the function no token.
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
