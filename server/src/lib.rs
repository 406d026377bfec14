//! lambd: AWS Lambda on bare Linux, one daemon.

pub mod api;
pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod descriptors;
pub mod dispatch;
pub mod environment;
pub mod front;
pub mod http;
pub mod logs;
pub mod model;
pub mod packages;
pub mod pool;
pub mod registry;
pub mod remark;
pub mod runtimes;
pub mod scaler;
pub mod store;
