//! The Runtime API (2018-06-01) of one execution environment: a state machine, a rendezvous
//! between the server and the runtime process, and the HTTP routes in front of both.
//!
//! * [`Session`] is the server's end: it waits for the runtime to be ready, hands it one event at a
//!   time and waits for the outcome.
//! * [`Service`] is the runtime's end: it serves HTTP on a listener that the server bound inside the
//!   environment. The socket is the identity, so nothing here names a function or an account.
//!
//! Invariants
//! * Every transition is forbidden unless [`RuntimeState`] lists it, and a call is validated before it moves
//!   the state.
//! * One event is in flight at a time. It is given to a poll that is alive, and an event whose answer
//!   was never written goes back to the queue.
//! * No lock is held across an await, nothing is spawned per request, and bodies stay [`bytes::Bytes`].
//! * Everything the runtime sends is bounded by [`limits`].
//!
//! Streaming responses are buffered like any other for now. The seam is `routes::response`: the body
//! is read in one place (`http::body::read`) into [`Response::body`]; forwarding chunks means giving
//! that call a sink and turning the field into a stream. State, trailers and truncation stay as they are.

mod error_type;
mod event;
mod http;
pub mod limits;
mod outcome;
mod render;
mod routes;
mod service;
mod session;
mod state;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use event::Event;
pub use outcome::{FunctionError, InitError, Outcome, Ready, Response, ResponseMode};
pub use service::{Service, SessionConfig};
pub use session::{DeliverError, Delivery, Session};
pub use state::RuntimeState;
pub(crate) use state::{Forbidden, Transition};
