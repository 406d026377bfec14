//! What becomes of asynchronous invocations: retries, the age of events, destinations.

pub(super) mod delete;
pub(super) mod get;
pub(super) mod list;
pub(super) mod put;
pub(super) mod update;
