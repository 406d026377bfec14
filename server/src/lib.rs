//! lambd: AWS Lambda on bare Linux, one daemon.

pub mod api;
pub mod app;
pub mod cli;
pub mod config;
pub mod descriptors;
pub mod dispatch;
pub mod environment;
pub mod gateway;
pub mod http;
pub mod logs;
pub mod packages;
pub mod platform_log;
pub mod registry;
pub mod remark;
pub mod runtimes;
pub mod server;
#[cfg(test)]
pub(crate) mod testing;
