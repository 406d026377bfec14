//! The built server, tested with the clients that users have and with hostile ones.
//!
//! Tests that need no server of their own share one; each test has its own functions. When the last test has
//! finished, the shared server must exit with status 0 and a clean log.

mod accounts;
mod attached;
mod attacks;
mod boto3;
mod cli;
mod clients;
mod code_from_s3;
mod commands;
mod concurrency;
mod constraints;
mod crashes;
mod crowds;
mod data_dirs;
mod entrypoints;
mod environments;
mod first_release;
mod identity;
mod invoke;
mod layers;
mod life;
mod logs;
mod malformed;
mod operations;
mod packages;
mod prefixes;
mod recorded;
mod revisions;
mod runtimes;
mod sdk;
mod sdk_resources;
mod signatures;
mod starts;
mod terraform;
mod versions;
