//! Encodes an operation's output as an HTTP response.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use crate::Operation;
use crate::schema::{Binding, Structure, members};

/// An operation's output.
#[expect(private_bounds, reason = "only the generated structures are outputs")]
pub trait Output: Structure + Sized {
    /// Makes the HTTP answer of `operation`: its status (or the one in a member), members in headers, and as
    /// body the payload member or the JSON of the other members. Absent members are left out, and so is a
    /// header whose value has control characters.
    ///
    /// The operation is a parameter because some outputs are shared: a FunctionConfiguration is the 201 of
    /// CreateFunction and the 200 of UpdateFunctionCode.
    fn encode(mut self, operation: Operation) -> Response<Bytes> {
        structure_response(&mut self, operation)
    }
}

impl<T: Structure> Output for T {}

pub(crate) fn structure_response(output: &mut dyn Structure, operation: Operation) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::from_u16(operation.success_status()).unwrap_or_default();
    let mut has_body = false;
    for (index, shape) in output.shapes().iter().enumerate() {
        let Some(member) = output.member_mut(index) else { continue };
        match shape.binding {
            Binding::Header(name) => {
                if let Some(Ok(value)) = member.text().map(HeaderValue::try_from) {
                    response.headers_mut().insert(HeaderName::from_static(name), value);
                }
            }
            Binding::Status => {
                let status = member.text().and_then(|text| StatusCode::from_bytes(text.as_bytes()).ok());
                if let Some(status) = status {
                    *response.status_mut() = status;
                }
            }
            Binding::RawPayload => {
                *response.body_mut() = member.bytes_mut().and_then(Option::take).unwrap_or_default();
                json_content(&mut response);
            }
            _ => has_body = true,
        }
    }
    if has_body && response.status() != StatusCode::NO_CONTENT {
        let mut body = Vec::new();
        structure(output, &mut body);
        *response.body_mut() = Bytes::from(body);
        json_content(&mut response);
    }
    response
}

fn json_content(response: &mut Response<Bytes>) {
    response.headers_mut().entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
}

/// Writes the members that belong in the body as a JSON object.
pub(crate) fn structure(structure: &dyn Structure, out: &mut Vec<u8>) {
    let members =
        members(structure).filter(|(shape, member)| shape.binding == Binding::Body && member.is_some());
    separated(out, b"{}", members, |(shape, member), out| {
        string(shape.name, out);
        out.push(b':');
        member.write_json(out);
    });
}

/// Writes `items` between a pair of brackets, with commas.
pub(crate) fn separated<T>(
    out: &mut Vec<u8>,
    [open, close]: &[u8; 2],
    items: impl IntoIterator<Item = T>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    out.push(*open);
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(*close);
}

/// Writes a JSON string.
pub(crate) fn string(text: &str, out: &mut Vec<u8>) {
    json(text, out);
}

/// Writes a scalar as JSON. Writing to a vector cannot fail.
pub(crate) fn json<T: serde::Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, value);
}
