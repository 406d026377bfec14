//! Scaling of versions on managed instances. There are none here, so that it is kept and never applied.

pub(super) mod get;
pub(super) mod put;
