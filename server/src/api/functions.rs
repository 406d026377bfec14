//! Functions: `$LATEST` and what belongs to a function as a whole.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod get;
pub(super) mod get_configuration;
pub(super) mod list;
pub(super) mod update_code;
pub(super) mod update_configuration;
