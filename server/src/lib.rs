//! AWS Lambda on bare Linux: the daemon.

pub mod auth;
pub mod cli;
pub mod config;
pub mod http;
