//! Tags of functions and other resources.

pub(super) mod list;
pub(super) mod tag;
pub(super) mod untag;
