//! What two operations or more share: names and look-ups, settings, packages, answers, errors.
//!
//! Invariant: knows no operation.

pub(super) mod errors;
pub(super) mod package;
pub(super) mod present;
pub(super) mod settings;
pub(super) mod settle;
pub(super) mod target;
pub(super) mod updates;
