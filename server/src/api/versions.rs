//! Versions of a function.

pub(super) mod list;
pub(super) mod publish;
