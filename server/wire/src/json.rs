//! Reads JSON text lazily: objects and arrays one level at a time; a value stays text until its type is
//! known. Skipping a value neither copies it nor recurses, however long or deep it is.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::Error;

/// Calls `each` with the name of every member and the text of its value.
pub(crate) fn object<'a>(
    json: &'a str,
    each: impl FnMut(&str, &'a str) -> Result<(), Error>,
) -> Result<(), Error> {
    if !json.starts_with('{') {
        return Err(Error::serialization(format!(
            "{} can not be converted to a structure or map",
            kind(json)
        )));
    }
    let mut walk = Walk { each, failed: None };
    let mut reader = serde_json::Deserializer::from_str(json);
    let done = reader.deserialize_map(&mut walk).and_then(|()| reader.end());
    finish(walk.failed, done)
}

/// Calls `each` with the text of every element.
pub(crate) fn array<'a>(
    json: &'a str,
    mut each: impl FnMut(&'a str) -> Result<(), Error>,
) -> Result<(), Error> {
    if !json.starts_with('[') {
        return Err(Error::serialization(format!("{} can not be converted to a list", kind(json))));
    }
    let mut walk = Walk { each: |_: &str, element| each(element), failed: None };
    let mut reader = serde_json::Deserializer::from_str(json);
    let done = reader.deserialize_seq(&mut walk).and_then(|()| reader.end());
    finish(walk.failed, done)
}

/// The text between the quotes if `json` is a string without escapes.
pub(crate) fn plain_string(json: &str) -> Option<&str> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    (!text.contains('\\')).then_some(text)
}

/// The decoded text of a string.
pub(crate) fn string(json: &str) -> Result<Cow<'_, str>, Error> {
    if let Some(text) = plain_string(json) {
        return Ok(Cow::Borrowed(text));
    }
    if !json.starts_with('"') {
        return Err(mismatch(json, "a String"));
    }
    serde_json::from_str(json).map(Cow::Owned).map_err(|error| Error::malformed_json(&error))
}

/// The refusal of a value of another type, in the service's form.
pub(crate) fn mismatch(json: &str, wanted: &str) -> Error {
    Error::serialization(format!("{} can not be converted to {wanted}", kind(json)))
}

fn kind(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'"') => "STRING_VALUE",
        Some(b't') => "TRUE_VALUE",
        Some(b'f') => "FALSE_VALUE",
        Some(b'n') => "NULL_VALUE",
        Some(b'[') => "LIST_VALUE",
        Some(b'{') => "STRUCTURE_VALUE",
        _ => "NUMBER_VALUE",
    }
}

fn finish(failed: Option<Error>, done: serde_json::Result<()>) -> Result<(), Error> {
    match failed {
        Some(error) => Err(error),
        None => done.map_err(|error| Error::malformed_json(&error)),
    }
}

/// Visits one level of an object or array; ends at the first refusal of `each`.
struct Walk<F> {
    each: F,
    failed: Option<Error>,
}

impl<'de, F: FnMut(&str, &'de str) -> Result<(), Error>> Visitor<'de> for &mut Walk<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            let value: &'de RawValue = map.next_value()?;
            if let Err(error) = (self.each)(&name, value.get()) {
                self.failed = Some(error);
                return Err(de::Error::custom("refused"));
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(value) = list.next_element::<&'de RawValue>()? {
            if let Err(error) = (self.each)("", value.get()) {
                self.failed = Some(error);
                return Err(de::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

/// A member's name, borrowed if it has no escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }
            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(Names)
    }
}

/// Whether `text` is one JSON value and nothing more.
///
/// # Errors
/// The first fault, as serde_json reports it.
pub(crate) fn check(text: &str) -> serde_json::Result<()> {
    serde_json::from_str::<IgnoredAny>(text).map(|_| ())
}

/// The service's text about bytes of which only the first `valid` are UTF-8.
pub(crate) fn not_utf8(text: &[u8], valid: usize) -> String {
    let rest = text.get(valid..).unwrap_or_default();
    // A character has at most four bytes, and those after the first are 0x80 to 0xBF.
    let place = if matches!(rest.first(), Some(0xC2..=0xF4)) { "middle" } else { "start" };
    let at =
        if place == "start" { 0 } else { 1 + rest.iter().skip(1).take_while(|b| **b & 0xC0 == 0x80).count() };
    match rest.get(at) {
        Some(byte) => format!("Invalid UTF-8 {place} byte 0x{byte:x}"),
        None => "Unexpected end-of-input in VALUE_STRING".to_owned(),
    }
}
