//! Capacity providers. They are kept and shown, and no function runs on them.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod get;
pub(super) mod list;
pub(super) mod list_function_versions;
pub(super) mod update;
