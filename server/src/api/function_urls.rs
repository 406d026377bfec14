//! Function URLs: addresses of a function or an alias. They are kept and shown, and answer nothing yet.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod get;
pub(super) mod list;
pub(super) mod update;
