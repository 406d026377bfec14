//! Launches real sandboxes and attacks them. Needs root and `cc`; fails when either is missing.
//!
//! Every test has its own launcher, so that the tests run in parallel and each can kill its own.

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
