//! lambd: AWS Lambda on bare Linux, one daemon.

pub mod packages;
pub mod store;
