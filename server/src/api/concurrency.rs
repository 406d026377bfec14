//! Reserved concurrency.

pub(super) mod delete;
pub(super) mod get;
pub(super) mod put;
