//! AWS Lambda on bare Linux: the daemon.

pub mod auth;
