//! Code signing configs and the functions that have one.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod delete_function_config;
pub(super) mod get;
pub(super) mod get_function_config;
pub(super) mod list;
pub(super) mod list_functions;
pub(super) mod put_function_config;
pub(super) mod update;
