//! Checks an answer against the model, for the tests of a server. Nothing that serves requests calls this.

use bytes::Bytes;
use http::Response;

use crate::schema::{Binding, Structure};
use crate::{Operation, decode, encode, generated, validate};

/// Values that the service answers although its model does not have them: the start of the violation and the member
/// [fact:answers-beside-the-model].
const BESIDE_THE_MODEL: [(&str, &str); 2] = [
    ("Value 'Creating' at ", "astUpdateStatusReasonCode' failed"),
    ("Value '' at ", "odeSigningConfigArn' failed"),
];

/// Checks that a client's model reads all of a successful answer of `operation`: its status, its required
/// members, the values and bounds of all members, and that it has no member beyond them. Payloads that are no
/// members, which are those of an Invoke, are not looked at.
///
/// # Errors
/// What is wrong, in words.
pub fn check_answer(operation: Operation, answer: &Response<Bytes>) -> Result<(), String> {
    let mut output = generated::BLANK_OUTPUT[operation as usize]();
    let (mut has_status, mut has_payload, mut has_body) = (false, false, false);
    for (index, shape) in output.shapes().iter().enumerate() {
        let Some(member) = output.member_mut(index) else { continue };
        match shape.binding {
            Binding::Header(name) => {
                if let Some(value) = answer.headers().get(name) {
                    let text = value.to_str().map_err(|_| format!("the header {name} is not text"))?;
                    member.read_text(text).map_err(|error| format!("the header {name}: {error}"))?;
                }
            }
            Binding::Status => {
                has_status = true;
                member.read_text(answer.status().as_str()).map_err(|error| format!("the status: {error}"))?;
            }
            Binding::RawPayload | Binding::Payload => has_payload = true,
            _ => has_body = true,
        }
    }
    let (status, expected) = (answer.status().as_u16(), operation.success_status());
    if !has_status && status != expected {
        return Err(format!("the status is {status} and not {expected}"));
    }
    if has_body && !has_payload && status != 204 {
        read_body(output.as_mut(), answer.body())?;
    } else if !has_payload && !answer.body().is_empty() {
        return Err(format!("a body of {} bytes, and no member is in it", answer.body().len()));
    }
    let mut violations = validate::violation_texts(output.as_ref());
    violations.retain(|text| {
        !BESIDE_THE_MODEL.iter().any(|(value, at)| text.starts_with(value) && text.contains(at))
    });
    if violations.is_empty() { Ok(()) } else { Err(violations.join("; ")) }
}

/// Reads the members of a body. What is written again from them is the same text, unless something was unknown.
fn read_body(output: &mut dyn Structure, body: &[u8]) -> Result<(), String> {
    let text = str::from_utf8(body).map_err(|_| "the body is not UTF-8".to_owned())?;
    decode::body(output, text).map_err(|error| format!("the body: {error}"))?;
    let mut again = Vec::new();
    encode::structure(output, &mut again);
    if again == body {
        return Ok(());
    }
    Err(format!("a member that is not in the model: of {text} is known {}", String::from_utf8_lossy(&again)))
}
