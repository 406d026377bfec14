//! Decodes an HTTP request as an operation's input.

use std::borrow::Cow;

use bytes::Bytes;
use http::HeaderMap;
use percent_encoding::percent_decode;

use crate::generated::Operation;
use crate::route::Labels;
use crate::schema::{Binding, Structure};
use crate::{Error, json};

/// The parts of an HTTP request that have members.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The labels of [`crate::Route::labels`].
    pub labels: &'a Labels<'a>,
    /// The raw query, without the question mark; empty if there is none.
    pub query: &'a str,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The complete body. A raw payload uses this buffer without a copy.
    pub body: &'a Bytes,
}

/// An operation's input.
#[expect(private_bounds, reason = "only the generated structures are inputs")]
pub trait Input: Structure + Default + 'static {
    /// The operation whose input it is.
    const OPERATION: Operation;

    /// Reads labels, query, headers and body. Unknown members are ignored; `null` means absent.
    ///
    /// # Errors
    /// InvalidRequestContentException for malformed JSON, SerializationException for a value of the wrong
    /// type. [`crate::validate()`] refuses values that are missing or out of bounds.
    fn decode(request: &Request<'_>) -> Result<Self, Error> {
        let mut input = Self::default();
        structure(&mut input, request)?;
        Ok(input)
    }
}

pub(crate) fn structure(input: &mut dyn Structure, request: &Request<'_>) -> Result<(), Error> {
    let mut has_body = false;
    for (index, shape) in input.shapes().iter().enumerate() {
        let Some(member) = input.member_mut(index) else { continue };
        match shape.binding {
            Binding::Label(place) => {
                if let Some(label) = request.labels.get(place) {
                    member.read_text(label)?;
                }
            }
            Binding::Query(key) => {
                for value in query_values(request.query, key) {
                    member.read_text(&value?)?;
                }
            }
            Binding::Header(name) => {
                if let Some(value) = request.headers.get(name) {
                    let text = std::str::from_utf8(value.as_bytes());
                    member.read_text(
                        text.map_err(|_| Error::serialization(format!("header {name} is not UTF-8")))?,
                    )?;
                }
            }
            Binding::RawPayload => {
                if let Some(bytes) = member.bytes_mut() {
                    *bytes = Some(request.body.clone());
                }
            }
            Binding::Payload if request.body.is_empty() => {}
            Binding::Payload => member.read_json(document(request.body)?)?,
            Binding::Body => has_body = true,
            Binding::Status => {}
        }
    }
    // An empty body is a body without members.
    if has_body && !request.body.is_empty() { body(input, document(request.body)?) } else { Ok(()) }
}

/// The text of a body without surrounding white space. A text that cannot be an object is checked here, so
/// that malformed JSON is reported before a wrong type; faults in an object are found while it is read.
fn document(body: &[u8]) -> Result<&str, Error> {
    let text = std::str::from_utf8(body).map_err(|error| Error::malformed_json(&error))?;
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    if !text.starts_with('{') {
        json::check(text).map_err(|error| Error::malformed_json(&error))?;
    }
    Ok(text)
}

/// Reads the members of a JSON object that belong in a body.
pub(crate) fn body(structure: &mut dyn Structure, json: &str) -> Result<(), Error> {
    let shapes = structure.shapes();
    json::object(json, |name, value| {
        let known = shapes.iter().position(|shape| shape.name == name && shape.binding == Binding::Body);
        match known.and_then(|index| structure.member_mut(index)) {
            Some(member) => member.read_json(value),
            None => Ok(()),
        }
    })
}

/// The values of one key of a query, in order. A key without `=` has an empty value.
fn query_values<'a>(query: &'a str, key: &'a str) -> impl Iterator<Item = Result<Cow<'a, str>, Error>> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).filter_map(move |(name, value)| {
        match form_decode(name) {
            Ok(name) if name == key => Some(form_decode(value)),
            _ => None,
        }
    })
}

fn form_decode(text: &str) -> Result<Cow<'_, str>, Error> {
    let bad = |_| Error::serialization("The query is not percent-encoded UTF-8.");
    if !text.contains('+') {
        return percent_decode(text.as_bytes()).decode_utf8().map_err(bad);
    }
    let spaced = text.replace('+', " ");
    percent_decode(spaced.as_bytes()).decode_utf8().map(|text| Cow::Owned(text.into_owned())).map_err(bad)
}
