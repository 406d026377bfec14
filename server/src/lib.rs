//! lambd: AWS Lambda on bare Linux, one daemon.

pub mod logs;
pub mod packages;
pub mod store;
