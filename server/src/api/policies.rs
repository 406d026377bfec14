//! Resource policies of functions, versions and aliases.

pub(super) mod add_permission;
pub(super) mod get;
pub(super) mod remove_permission;
