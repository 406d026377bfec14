//! The library of lambd: AWS Lambda on bare Linux as one daemon.

#![expect(
    unreachable_pub,
    reason = "`pub` in a module is for the whole crate; only `cli` is public outside of it"
)]

mod api;
mod app;
mod authorise;
pub mod cli;
mod config;
mod descriptors;
mod dispatch;
mod environment;
mod gateway;
mod http;
mod logs;
mod object_store;
#[cfg(not(fuzzing))]
mod packages;
#[cfg(fuzzing)]
pub mod packages;
mod platform_log;
mod registry;
mod remark;
mod resources;
mod runtimes;
mod server;
mod services;
#[cfg(test)]
mod testing;
