//! Decides who may run now, who may start an execution environment, and which idle one serves.
//!
//! Invariant: pure. Nothing here reads a clock, starts a process or takes a lock; `now` is an argument.

pub mod pool;
pub mod provisions;
pub mod scaler;
