//! Resource policies of functions, versions and aliases.

pub(super) mod add_permission;
pub(super) mod delete_resource;
pub(super) mod get;
pub(super) mod get_resource;
pub(super) mod put_resource;
pub(super) mod remove_permission;
