//! Versions of a function.

pub(super) mod list;
