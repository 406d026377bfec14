//! Shared by two operations or more: names and look-ups, settings, packages, answers, errors.
//!
//! Invariant: nothing here depends on an operation.

pub(super) mod activation;
pub(super) mod capacity;
pub(super) mod errors;
pub(super) mod event_invoke;
pub(super) mod features;
pub(super) mod function_url;
pub(super) mod image;
pub(super) mod invocation;
pub(super) mod layer_policy;
pub(super) mod layers;
pub(super) mod mappings;
pub(super) mod package;
pub(super) mod page;
pub(super) mod policy;
pub(super) mod policy_document;
pub(super) mod provisioned;
pub(super) mod render;
pub(super) mod routing;
pub(super) mod settings;
pub(super) mod settle;
pub(super) mod signing;
pub(super) mod tags;
pub(super) mod target_function;
pub(super) mod updates;
