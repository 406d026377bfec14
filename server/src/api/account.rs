//! Settings of the account.

pub(super) mod get_settings;
