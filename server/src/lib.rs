//! lambd: AWS Lambda on bare Linux, one daemon.

#![expect(
    unreachable_pub,
    reason = "`pub` in a module is for the whole crate; what leaves the crate is `cli`"
)]

mod api;
mod app;
pub mod cli;
mod config;
mod descriptors;
mod dispatch;
mod environment;
mod gateway;
mod http;
mod logs;
#[cfg(not(fuzzing))]
mod packages;
#[cfg(fuzzing)]
pub mod packages;
mod platform_log;
mod registry;
mod remark;
mod runtimes;
mod server;
#[cfg(test)]
mod testing;
