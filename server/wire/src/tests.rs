//! Tests across all operations.

mod answer;
mod malformed;
mod operations;
mod recorded;

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::{Error, Operation};

fn accept(method: &str, target: &str, body: &[u8]) -> Result<Operation, Error> {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    crate::accept(&method, target, &HeaderMap::new(), &Bytes::copy_from_slice(body))
}
