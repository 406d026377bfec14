//! AWS Lambda on bare Linux.

pub mod cli;
pub mod runtimes;
