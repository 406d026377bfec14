//! The Runtime API (2018-06-01) of one execution environment.
//!
//! [`Session`] is the server's side: it delivers one event at a time and learns how it ended. [`Service`] is the
//! HTTP side that the runtime talks to. Between them is one rendezvous: the waiting `next` gets the event, the
//! POST completes the call.
//!
//! Invariants: nothing here knows sandboxes or the control plane; every transition is forbidden unless
//! [`State`] allows it; a request id is checked before the state, the state before anything is read; bodies are
//! passed on untouched; no lock is held across an await.

mod error_type;
mod http;
mod limits;
mod render;
mod routes;
mod session;
mod state;

pub use error_type::normalise;
pub use http::Service;
pub use limits::{HEADERS_BYTES_MAX, RESPONSE_BYTES_MAX};
pub use session::{Delivery, Event, InitError, Outcome, Ready, Session};
pub use state::{Call, NotAllowed, State};
