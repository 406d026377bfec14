//! Tests across the whole contract.

mod malformed;
mod operations;
mod recorded;

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::schema::Structure;
use crate::{Error, Operation, Request, decode, generated, route, validate};

/// Routes, decodes and validates a request, as the server does.
fn accept(method: &str, target: &str, body: &[u8]) -> Result<(Operation, Box<dyn Structure>), Error> {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let route = route(&method, target)?;
    let mut input = generated::BLANK_INPUT[route.operation as usize]();
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let (headers, body) = (HeaderMap::new(), Bytes::copy_from_slice(body));
    let request = Request { labels: &route.labels, query, headers: &headers, body: &body };
    decode::structure(input.as_mut(), &request)?;
    validate::violations(input.as_ref())?;
    Ok((route.operation, input))
}
