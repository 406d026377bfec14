//! The Runtime API (2018-06-01) of one execution environment: a state machine, a session between the server
//! and the runtime process, and the HTTP routes.
//!
//! * [`Session`] is the server's end: it waits until the runtime is ready, delivers one event at a time and
//!   waits for the outcome.
//! * [`Service`] is the runtime's end: it serves HTTP on a listener that the server bound inside the
//!   environment. The socket is the identity, so nothing here names a function or an account.
//!
//! Invariants
//! * Every transition is refused unless [`RuntimeState`] lists it, and a call is validated before it changes
//!   the state.
//! * One event is in flight at a time. It is given only to a poll whose client is connected, and it returns
//!   to the queue if it was not written.
//! * No lock is held across an await, no task is spawned per request, and bodies stay [`bytes::Bytes`].
//! * Everything that the runtime sends is bounded by [`limits`].
//!
//! Streaming responses are buffered like all others for now. To forward chunks, change `routes::response`:
//! the body is read in one place (`http::body::read`) into [`Response::body`]; that call needs a sink, and
//! the field must become a stream. State, trailers and truncation stay as they are.

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
