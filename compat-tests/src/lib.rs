//! Black-box tests of the built `lambd` with the clients that users have, and the benchmark.
//!
//! This library is their harness. It knows the command line, the HTTP API and what the host shows below
//! `/proc` and `/sys`; it links nothing of the server. All calls block. Every wait ends when a condition
//! holds ([`wait::until`]), never after a fixed pause.

pub mod api;
pub mod function;
pub mod host;
pub mod http;
pub mod package;
pub mod programs;
pub mod python;
pub mod sample;
pub mod server;
pub mod sigv4;
pub mod tools;
pub mod wait;

pub use function::{FunctionSpec, TestFunction};
pub use server::TestServer;
