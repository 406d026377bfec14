//! The listener: connections, their limits and their end; bodies; request ids; a small client.
//!
//! Everything that a stranger can make grow has a bound: connections, header bytes, streams of one
//! connection, body bytes in memory, and the time that each of them may take.

mod body;
mod budget;
mod client;
mod connection;
pub mod notify;
mod respond;
mod serve;
mod table;

pub use body::{BodyError, Gate, ReceivedBody, check_length, drain};
pub use client::call;
pub use respond::{RequestId, respond};
pub use serve::{ConnectionLimits, Drained, serve_connections};
pub use table::Caller;
