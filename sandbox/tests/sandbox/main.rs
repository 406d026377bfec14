//! Real sandboxes, launched and attacked. Needs root and `cc`; fails where either is missing.
//!
//! Every test has a launcher of its own, so that the tests run side by side and each can kill its own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, helpers of tests too"
)]

mod contained;
mod crash;
mod helpers;
mod hostile;
mod life;
mod limits;
mod refused;
mod support;
