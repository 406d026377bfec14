//! Event source mappings. Nothing polls yet: a mapping is checked, kept, shown and settles, and has no events.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod get;
pub(super) mod list;
pub(super) mod update;
