//! Code signing, of which there is none: what clients ask for all the same.

pub(super) mod get_function_config;
