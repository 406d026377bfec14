//! Admission: the lock of dispatch, the permits to run, the reservations of memory and the slots of provisioned
//! environments.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lambd_engine::pool::{Leased, Pool, Resident as _};
use lambd_engine::provisions::Provisions;
use lambd_engine::scaler::{Scaler, ScalerLimits, StartDecision, Throttle};
use lambd_model::{FunctionId, Version};
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use crate::environment::{Environment, Reservation, Slot};

/// Scaler, pool and provisions; all are needed for a decision.
#[derive(Debug)]
pub(super) struct Capacity {
    pub(super) scaler: Scaler,
    pub(super) pool: Pool<Environment>,
    pub(super) provisions: Provisions,
}

/// The state that all invocations share, with its one lock.
#[derive(Debug)]
pub(super) struct Admission {
    state: Mutex<Capacity>,
    /// Tests with paused time also pause this clock.
    epoch: Instant,
    /// Notified when an environment has become idle, and is to be frozen later.
    pub(super) rested: Notify,
    /// Notified when provisioned environments may be missing, or too many.
    pub(super) unprovided: Notify,
    /// Notified when an invocation has ended, which may complete a drain.
    pub(super) ended: Notify,
}

impl Admission {
    pub(super) fn new(limits: ScalerLimits) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(Capacity {
                scaler: Scaler::new(limits),
                pool: Pool::default(),
                provisions: Provisions::default(),
            }),
            epoch: Instant::now(),
            rested: Notify::new(),
            unprovided: Notify::new(),
            ended: Notify::new(),
        })
    }

    /// Decides under the lock. Never drop an environment inside, because its reservation takes the same lock.
    pub(super) fn with<R>(&self, decide: impl FnOnce(&mut Capacity, Duration) -> R) -> R {
        // The methods of the state do not panic half-way, so that the state is right even after a panic.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        decide(&mut state, self.epoch.elapsed())
    }

    /// Admits an invocation of a version: with an idle provisioned environment of it, or else as one on demand.
    pub(super) fn admit(admission: &Arc<Self>, version: &Version) -> Result<Admitted, Throttle> {
        let provisioned =
            admission.with(|state, now| match state.pool.take_provisioned(version.generation) {
                Some(leased) => {
                    state.scaler.admit_provisioned(&version.function, now);
                    Ok(Some(Box::new(leased)))
                }
                None => state.scaler.admit(&version.function, now).map(|()| None),
            })?;
        let (admission, function) = (Arc::clone(admission), Arc::clone(&version.function));
        let permit = ConcurrencyPermit { admission, function, is_provisioned: provisioned.is_some() };
        Ok(Admitted { permit, provisioned })
    }

    pub(super) fn take(&self, generation: Uuid) -> Option<Leased<Environment>> {
        self.with(|state, _| state.pool.take(generation))
    }

    /// Takes back an environment; returns a provisioned one that is not wanted any more.
    pub(super) fn put(&self, environment: Environment) -> Option<Environment> {
        let unwanted = self.with(|state, now| {
            if environment.is_provisioned() && state.provisions.is_excessive(environment.generation()) {
                return Some(environment);
            }
            state.pool.put(environment, now);
            None
        });
        self.rested.notify_one();
        unwanted
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

/// An admitted invocation.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) permit: ConcurrencyPermit,
    /// The provisioned environment that is to serve it; `None` if it is served on demand.
    pub(super) provisioned: Option<Box<Leased<Environment>>>,
}

/// One admitted invocation; when it is dropped, the scaler counts the invocation as ended.
#[derive(Debug)]
pub(super) struct ConcurrencyPermit {
    admission: Arc<Admission>,
    function: Arc<FunctionId>,
    /// Whether it was admitted with a provisioned environment.
    is_provisioned: bool,
}

impl Drop for ConcurrencyPermit {
    fn drop(&mut self) {
        self.admission.with(|state, now| match self.is_provisioned {
            true => state.scaler.done_provisioned(&self.function, now),
            false => state.scaler.done(&self.function, now),
        });
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

/// The place of one provisioned environment that is ready; when it is dropped, another one is missing.
#[derive(Debug)]
pub(super) struct ProvisionedSlot {
    admission: Arc<Admission>,
    version: Arc<Version>,
}

impl ProvisionedSlot {
    /// `None` where no more environments of this version are wanted.
    pub(super) fn take(admission: &Arc<Admission>, version: &Arc<Version>) -> Option<Self> {
        let is_wanted = admission.with(|state, now| {
            let is_wanted = state.provisions.add(version.generation);
            if is_wanted {
                state.scaler.allocate(&version.function, now);
            }
            is_wanted
        });
        is_wanted.then(|| Self { admission: Arc::clone(admission), version: Arc::clone(version) })
    }
}

impl Slot for ProvisionedSlot {}

impl Drop for ProvisionedSlot {
    fn drop(&mut self) {
        self.admission.with(|state, now| {
            state.provisions.ended(self.version.generation);
            state.scaler.release(&self.version.function, now);
        });
        self.admission.unprovided.notify_one();
    }
}
