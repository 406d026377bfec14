//! Invocations.

pub(super) mod invoke;
