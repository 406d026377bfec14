//! Domain types: what a function is, apart from how it is spelled on the wire or kept in the store.
//!
//! Invariant: nothing here knows HTTP, restJson or RocksDB. `api` converts wire inputs into these types
//! and back by hand; `registry` keeps them.

pub mod arn;
pub mod clock;
pub mod function;

pub use arn::{FunctionRef, Place};
pub use function::{
    CodeRef, Configuration, Environment, Function, FunctionKey, LastUpdate, LogFormat, Logging, State, Vpc,
};
