//! The scaler decides who may run now, and who may start a new execution environment.
//!
//! It is pure: it takes `now` and returns decisions, without a clock or a process, so that tests choose the
//! time. The dispatcher calls it under one short lock.
//!
//! Rules: concurrency is counted for each account and each function [fact:reserved-concurrency]. Every new
//! environment takes a token from the function's bucket, which holds 1,000 and gains 100 a second
//! [fact:start-rate], and its memory from the host's budget.

mod bucket;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bucket::TokenBucket;

use lambd_model::FunctionId;

/// Limits of each account and of the host.
#[derive(Debug, Clone, Copy)]
pub struct ScalerLimits {
    /// Invocations in flight for all functions of one account [fact:account-concurrency].
    pub account_concurrency: u32,
    /// Environments that one function may start at once [fact:start-rate].
    pub burst: u32,
    /// Environments that one function gains each second [fact:start-rate].
    pub refill_per_s: u32,
    /// Memory that may be granted to all environments together, MiB.
    pub host_memory_mib: u64,
}

/// Why an invocation is refused; each becomes the `Reason` of a 429 [fact:throttle-reasons].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Throttle {
    /// The account has no unreserved concurrency left.
    Account,
    /// The function's reserved concurrency is used up, or is 0.
    Reserved,
    /// The function starts environments faster than its bucket gains tokens.
    Rate,
    /// The host has no memory left for another environment.
    Memory,
    /// The server has no file descriptors left for another environment.
    Descriptors,
}

impl Throttle {
    /// The `Reason` member. A full host does not exist on AWS; callers see it as used up concurrency.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Account | Self::Memory | Self::Descriptors => "ConcurrentInvocationLimitExceeded",
            Self::Reserved => "ReservedFunctionConcurrentInvocationLimitExceeded",
            Self::Rate => "FunctionInvocationRateLimitExceeded",
        }
    }
}

/// The answer to a request for a new environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartDecision {
    /// Start it: token and memory are taken. [`Scaler::ended`] returns the memory.
    Granted,
    /// End idle environments with at least this much memory, then ask again.
    Evict {
        /// MiB that are missing.
        missing_mib: u64,
    },
    /// Do not start it.
    Refused(Throttle),
}

#[derive(Debug)]
struct PerFunction {
    /// Without those in provisioned environments.
    in_flight: u32,
    /// Those in provisioned environments.
    provisioned_in_flight: u32,
    environments: u32,
    reserved: Option<u32>,
    /// Executions that are kept for provisioned environments, whether these are there or not.
    provisioned: u32,
    /// Provisioned environments that are there.
    allocated: u32,
    bucket: TokenBucket,
}

impl PerFunction {
    fn is_unused(&mut self, now: Duration) -> bool {
        let is_idle = self.in_flight == 0 && self.provisioned_in_flight == 0 && self.environments == 0;
        let is_kept = self.reserved.is_some() || self.provisioned > 0 || self.allocated > 0;
        is_idle && !is_kept && self.bucket.is_full(now)
    }

    /// The part of the account's concurrency that is kept for the function.
    fn claim(&self) -> u32 {
        self.reserved.unwrap_or(self.provisioned)
    }
}

/// Concurrency that an account keeps for single functions, and what else of it is used.
#[derive(Debug, Default)]
struct PerAccount {
    claimed_total: u32,
    unreserved_in_flight: u32,
}

/// Counts concurrency, tokens and memory. `now` is the time since an arbitrary start and never goes back.
#[derive(Debug)]
pub struct Scaler {
    limits: ScalerLimits,
    functions: HashMap<Arc<FunctionId>, PerFunction>,
    /// A few accounts; only [`Self::sweep`] removes them, so that an invocation allocates nothing.
    accounts: Vec<(Arc<str>, PerAccount)>,
    memory_mib: u64,
}

impl Scaler {
    /// A scaler that has granted nothing yet.
    pub fn new(limits: ScalerLimits) -> Self {
        Self { limits, functions: HashMap::new(), accounts: Vec::new(), memory_mib: 0 }
    }

    /// Sets or clears a function's reserved concurrency. Invocations in flight go on.
    pub fn reserve(&mut self, function: &Arc<FunctionId>, reserved: Option<u32>, now: Duration) {
        let f = entry_of(&mut self.functions, &self.limits, function, now);
        let (before, claim, in_flight) = (f.reserved, f.claim(), f.in_flight);
        f.reserved = reserved;
        let account = account_of(&mut self.accounts, function);
        account.claimed_total = account.claimed_total - claim + f.claim();
        match (before.is_some(), reserved.is_some()) {
            (false, true) => account.unreserved_in_flight -= in_flight,
            (true, false) => account.unreserved_in_flight += in_flight,
            _ => {}
        }
        self.forget_if_unused(function, now);
    }

    /// Keeps executions for the function's provisioned environments; they are a part of what it has reserved
    /// [fact:provisioned-limits].
    pub fn provision(&mut self, function: &Arc<FunctionId>, executions: u32, now: Duration) {
        let f = entry_of(&mut self.functions, &self.limits, function, now);
        let claim = f.claim();
        f.provisioned = executions;
        let account = account_of(&mut self.accounts, function);
        account.claimed_total = account.claimed_total - claim + f.claim();
        self.forget_if_unused(function, now);
    }

    /// A provisioned environment of the function is ready: nothing else may use its part of the reservation.
    pub fn allocate(&mut self, function: &Arc<FunctionId>, now: Duration) {
        self.entry(function, now).allocated += 1;
    }

    /// A provisioned environment of the function that was ready has ended.
    pub fn release(&mut self, function: &Arc<FunctionId>, now: Duration) {
        if let Some(f) = self.functions.get_mut(function) {
            f.allocated = f.allocated.saturating_sub(1);
        }
        self.forget_if_unused(function, now);
    }

    /// Counts an invocation that has a provisioned environment, for which executions are kept. The caller must call
    /// [`Self::done_provisioned`] when it is over.
    pub fn admit_provisioned(&mut self, function: &Arc<FunctionId>, now: Duration) {
        self.entry(function, now).provisioned_in_flight += 1;
    }

    /// An invocation with a provisioned environment is over.
    pub fn done_provisioned(&mut self, function: &Arc<FunctionId>, now: Duration) {
        if let Some(f) = self.functions.get_mut(function) {
            f.provisioned_in_flight = f.provisioned_in_flight.saturating_sub(1);
        }
        self.forget_if_unused(function, now);
    }

    /// Admits one invocation without a provisioned environment. The caller must call [`Self::done`] when it is over.
    pub fn admit(&mut self, function: &Arc<FunctionId>, now: Duration) -> Result<(), Throttle> {
        let f = entry_of(&mut self.functions, &self.limits, function, now);
        let account = account_of(&mut self.accounts, function);
        let unreserved_limit = self.limits.account_concurrency.saturating_sub(account.claimed_total);
        let refusal = match f.reserved {
            Some(limit) if f.in_flight >= limit.saturating_sub(f.allocated) => Throttle::Reserved,
            None if account.unreserved_in_flight >= unreserved_limit => Throttle::Account,
            reserved => {
                f.in_flight += 1;
                account.unreserved_in_flight += u32::from(reserved.is_none());
                return Ok(());
            }
        };
        self.forget_if_unused(function, now);
        Err(refusal)
    }

    /// An admitted invocation is over.
    pub fn done(&mut self, function: &Arc<FunctionId>, now: Duration) {
        if let Some(f) = self.functions.get_mut(function) {
            f.in_flight = f.in_flight.saturating_sub(1);
            if f.reserved.is_none() {
                let account = account_of(&mut self.accounts, function);
                account.unreserved_in_flight = account.unreserved_in_flight.saturating_sub(1);
            }
        }
        self.forget_if_unused(function, now);
    }

    /// Asks for a new environment of `memory_mib`, where ending idle ones could free `evictable_mib`.
    pub fn start(
        &mut self,
        function: &Arc<FunctionId>,
        memory_mib: u32,
        evictable_mib: u64,
        now: Duration,
    ) -> StartDecision {
        // Checked first: a function that starts too fast must not cost others their idle environments.
        if !self.entry(function, now).bucket.has_token(now) {
            return StartDecision::Refused(Throttle::Rate);
        }
        let wanted = self.memory_mib + u64::from(memory_mib);
        if let Some(missing_mib) = wanted.checked_sub(self.limits.host_memory_mib).filter(|m| *m > 0) {
            return if evictable_mib >= missing_mib {
                StartDecision::Evict { missing_mib }
            } else {
                StartDecision::Refused(Throttle::Memory)
            };
        }
        let f = self.entry(function, now);
        if !f.bucket.take(now) {
            return StartDecision::Refused(Throttle::Rate);
        }
        f.environments += 1;
        self.memory_mib = wanted;
        StartDecision::Granted
    }

    /// A granted environment could not be started: returns its token. [`Self::ended`] returns its memory.
    pub fn refund(&mut self, function: &Arc<FunctionId>, now: Duration) {
        self.entry(function, now).bucket.refund(now);
    }

    /// A granted environment has ended or could not be started.
    pub fn ended(&mut self, function: &Arc<FunctionId>, memory_mib: u32, now: Duration) {
        self.memory_mib = self.memory_mib.saturating_sub(u64::from(memory_mib));
        if let Some(f) = self.functions.get_mut(function) {
            f.environments = f.environments.saturating_sub(1);
        }
        self.forget_if_unused(function, now);
    }

    /// Removes functions whose entry says nothing any more, because their buckets are full again.
    pub fn sweep(&mut self, now: Duration) {
        self.functions.retain(|_, f| !f.is_unused(now));
        let functions = &self.functions;
        self.accounts.retain(|(account, _)| functions.keys().any(|function| function.account == *account));
    }

    /// Memory that may be granted to all environments together, MiB.
    pub fn host_memory_mib(&self) -> u64 {
        self.limits.host_memory_mib
    }

    /// Invocations in flight for all functions.
    pub fn in_flight(&self) -> u32 {
        self.functions.values().map(|f| f.in_flight + f.provisioned_in_flight).sum()
    }

    fn entry(&mut self, function: &Arc<FunctionId>, now: Duration) -> &mut PerFunction {
        entry_of(&mut self.functions, &self.limits, function, now)
    }

    /// Keeps the table small: an entry with a full bucket and no counts says nothing.
    fn forget_if_unused(&mut self, function: &Arc<FunctionId>, now: Duration) {
        if self.functions.get_mut(function).is_some_and(|f| f.is_unused(now)) {
            self.functions.remove(function);
        }
    }
}

fn entry_of<'a>(
    functions: &'a mut HashMap<Arc<FunctionId>, PerFunction>,
    limits: &ScalerLimits,
    function: &Arc<FunctionId>,
    now: Duration,
) -> &'a mut PerFunction {
    functions.entry(Arc::clone(function)).or_insert_with(|| PerFunction {
        in_flight: 0,
        provisioned_in_flight: 0,
        environments: 0,
        reserved: None,
        provisioned: 0,
        allocated: 0,
        bucket: TokenBucket::full(limits.burst, limits.refill_per_s, now),
    })
}

/// Copies the account's name only if the account is new.
fn account_of<'a>(
    accounts: &'a mut Vec<(Arc<str>, PerAccount)>,
    function: &FunctionId,
) -> &'a mut PerAccount {
    let known = accounts.iter().position(|(account, _)| *account == function.account);
    let at = known.unwrap_or_else(|| {
        accounts.push((Arc::clone(&function.account), PerAccount::default()));
        accounts.len() - 1
    });
    &mut accounts[at].1
}

#[cfg(test)]
mod tests;
