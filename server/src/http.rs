//! Connections, their limits and their end; request bodies; request ids; a small client.
//!
//! Everything that an unauthenticated caller can make grow is limited: connections, bytes of headers, streams
//! of one connection, bytes of bodies in memory, and the time that each of them may take.

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
