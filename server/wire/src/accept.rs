//! Takes a request of any operation from its bytes to a checked input, for tests and the fuzz target `wire`.

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::{Error, Operation, Request, decode, generated, route, validate};

/// Routes, decodes and validates a request, as the server does.
///
/// # Errors
/// The error that the server would answer with.
pub fn accept(method: &Method, target: &str, headers: &HeaderMap, body: &Bytes) -> Result<Operation, Error> {
    let route = route(method, target)?;
    let mut input = generated::BLANK_INPUT[route.operation as usize]();
    let query = target.split_once('?').map_or("", |(_, query)| query);
    decode::structure(input.as_mut(), &Request { labels: &route.labels, query, headers, body })?;
    validate::violations(input.as_ref())?;
    Ok(route.operation)
}
