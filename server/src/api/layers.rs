//! Layers: their versions and their policies.

pub(super) mod add_permission;
pub(super) mod delete_version;
pub(super) mod get_policy;
pub(super) mod get_version;
pub(super) mod get_version_by_arn;
pub(super) mod list;
pub(super) mod list_versions;
pub(super) mod publish_version;
pub(super) mod remove_permission;
