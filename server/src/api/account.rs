//! The account's own settings.

pub(super) mod get_settings;
