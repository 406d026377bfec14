//! Code signing: not supported, but clients ask whether a function has it.

pub(super) mod get_function_config;
