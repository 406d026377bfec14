//! Invocations.

pub(super) mod invoke;
pub(super) mod stream;
