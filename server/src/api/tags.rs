//! Tags of functions.

pub(super) mod list;
pub(super) mod tag;
pub(super) mod untag;
