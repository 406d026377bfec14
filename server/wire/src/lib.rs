//! The public AWS Lambda wire contract as data: operations, shapes, constraints and error codes of the
//! restJson protocol, generated from `model/lambda.tbl`, with routing, decoding, validation and encoding.
//!
//! An HTTP request goes through [`route()`], [`Input::decode`] and [`validate()`]; an output leaves by
//! [`Output::encode`], a refusal by [`Error::encode`].
//!
//! Invariants:
//! - No request makes this crate panic, recurse without bound, or answer anything but a 4xx.
//! - Every member of a structure is an `Option`: what is required is known to [`validate()`] alone, so that all
//!   violations of a request come in one answer, in Lambda's own words.
//! - An enum's unknown value survives decoding and encoding: enums are `String`, checked by [`validate()`].
//! - Nothing here knows what a function is. [`special`] alone holds refusals that the model does not have but
//!   that need nothing besides the request.
//!
//! A new API release is a re-import: `cargo run --release -p lambd-wire-import -- service-2.json.gz
//! server/wire/model/lambda.tbl` with the file from the PyPI package `botocore`.

#[cfg(any(test, fuzzing))]
mod accept;
mod decode;
mod encode;
mod error;
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
pub use decode::{Input, Request};
pub use encode::Output;
pub use error::Error;
pub use generated::{ErrorCode, Operation, SUPPORTED_RUNTIMES, input, output, types};
pub use route::{Labels, Route, RouteError, route};
pub use validate::validate;
