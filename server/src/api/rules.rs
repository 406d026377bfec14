//! Shared by two operations or more: names and look-ups, settings, packages, answers, errors.
//!
//! Invariant: nothing here depends on an operation.

pub(super) mod activation;
pub(super) mod errors;
pub(super) mod event_invoke;
pub(super) mod function_url;
pub(super) mod package;
pub(super) mod page;
pub(super) mod policy;
pub(super) mod provisioned;
pub(super) mod render;
pub(super) mod routing;
pub(super) mod settings;
pub(super) mod target_function;
pub(super) mod updates;
