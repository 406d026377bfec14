//! Provisioned concurrency: environments of versions and aliases that are started before anybody invokes.

pub(super) mod delete;
pub(super) mod get;
pub(super) mod list;
pub(super) mod put;
