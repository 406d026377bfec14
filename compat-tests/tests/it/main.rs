//! The built server under the clients that users have, and under those they would rather not have.
//!
//! One server is shared by the tests that need no life of their own; each test has functions of
//! its own. When the last test lets go of the server it must end with status 0 and a clean log.

mod accounts;
mod attacks;
mod boto3;
mod cli;
mod clients;
mod commands;
mod concurrency;
mod crowds;
mod data_dirs;
mod entrypoints;
mod environments;
mod first_release;
mod invoke;
mod life;
mod logs;
mod malformed;
mod operations;
mod packages;
mod prefixes;
mod runtimes;
mod sdk;
mod signatures;
mod starts;
mod terraform;
mod versions;
