//! The command line.

pub mod runtime;
