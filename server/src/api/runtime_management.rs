//! Runtime management: which builds of its runtime a function or a version may get.

pub(super) mod get;
pub(super) mod put;
