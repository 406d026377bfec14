//! The public AWS Lambda wire contract as data: operations, shapes, constraints and error codes of the
//! restJson protocol, generated from `model/lambda.tbl`, with routing, decoding, validation and encoding.
//!
//! An HTTP request is handled by [`route()`], [`Input::decode`] and [`validate()`]; an output is answered by
//! [`Output::encode`], a refusal by [`Error::encode`].
//!
//! Invariants:
//! - No request makes this crate panic, recurse without bound, or answer with anything but a 4xx.
//! - Every member of a structure is an `Option`: only [`validate()`] knows what is required, so that one
//!   answer has all violations of a request, with the service's texts.
//! - Enums are `String`, checked by [`validate()`], so that an unknown value survives decoding and encoding.
//! - Nothing here knows what a function is. Refusals that are not in the model but need only the request are
//!   in [`special`].
//!
//! To follow a new release of the API, import its model: `cargo run --release -p lambd-wire-import --
//! service-2.json.gz server/wire/model/lambda.tbl` with the file from the PyPI package `botocore`.

#[cfg(any(test, fuzzing))]
mod accept;
mod answer;
mod decode;
mod encode;
mod error;
mod event_stream;
mod generated;
mod json;
mod operation;
mod route;
mod schema;
pub mod special;
#[cfg(test)]
mod tests;
mod validate;
mod value;

#[cfg(any(test, fuzzing))]
pub use accept::accept;
pub use answer::check_answer;
pub use aws_smithy_types::DateTime;
pub use decode::{Input, Request};
pub use encode::Output;
pub use error::Error;
pub use event_stream::StreamedOutput;
pub use generated::{ErrorCode, Operation, SUPPORTED_RUNTIMES, input, output, types};
pub use route::{Labels, Route, RouteError, route};
pub use validate::validate;
