//! lambd: AWS Lambda on bare Linux, one daemon.

pub mod auth;
pub mod cli;
pub mod config;
pub mod http;
pub mod logs;
pub mod packages;
pub mod runtimes;
pub mod store;
