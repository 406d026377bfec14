//! Recursion: what becomes of an event that a function has caused itself many times.

pub(super) mod get;
pub(super) mod put;
