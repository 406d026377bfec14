//! The types of members: how each is read, written, shown and checked.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::schema::{Kind, Member, MemberShape, Shape, Structure};
use crate::validate::{Violations, structure as check_structure};
use crate::{Error, decode, encode, json};

/// A type that a member, element, key or value can have.
pub(crate) trait Value: Sized {
    fn read_json(json: &str) -> Result<Self, Error>;
    fn read_text(text: &str) -> Result<Self, Error> {
        Err(Error::serialization(format!("'{text}' is not expected here")))
    }
    /// Adds one text to the member: a list takes every text, other types keep the last.
    fn add_text(member: &mut Option<Self>, text: &str) -> Result<(), Error> {
        *member = Some(Self::read_text(text)?);
        Ok(())
    }
    fn write_json(&self, out: &mut Vec<u8>);
    /// Writes the value as messages show it and as headers and statuses have it.
    fn show(&self, out: &mut String);
    /// The number that bounds apply to: a number's value, or the length of anything else.
    fn size(&self) -> f64 {
        0.0
    }
    fn as_text(&self) -> Option<&str> {
        None
    }
    /// The first constraint that an element, key or value breaks: how messages name the part, and its shape.
    fn bad_part(&self, _shape: &Shape) -> Option<(&'static str, &'static Shape)> {
        None
    }
    /// Checks the structures inside the value.
    fn check_inside(&self, _found: &mut Violations) {}
    fn debug(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
    fn bytes_mut(_member: &mut Option<Self>) -> Option<&mut Option<Bytes>> {
        None
    }
    /// Whether every constraint holds.
    fn holds(&self, shape: &Shape) -> bool {
        let size = self.size();
        shape.min.is_none_or(|min| size >= min)
            && shape.max.is_none_or(|max| size <= max)
            && self.in_enum(shape)
            && self.as_text().zip(shape.pattern.as_ref()).is_none_or(|(text, pattern)| pattern.accepts(text))
            && self.bad_part(shape).is_none()
    }
    fn in_enum(&self, shape: &Shape) -> bool {
        shape.values.is_empty() || self.as_text().is_none_or(|text| shape.values.contains(&text))
    }
}

impl<T: Value> Member for Option<T> {
    fn is_some(&self) -> bool {
        Self::is_some(self)
    }

    fn read_json(&mut self, json: &str) -> Result<(), Error> {
        *self = if json == "null" { None } else { Some(T::read_json(json)?) };
        Ok(())
    }

    fn read_text(&mut self, text: &str) -> Result<(), Error> {
        T::add_text(self, text)
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.write_json(out),
            None => out.extend_from_slice(b"null"),
        }
    }

    fn text(&self) -> Option<String> {
        let mut out = String::new();
        self.as_ref()?.show(&mut out);
        Some(out)
    }

    fn bytes_mut(&mut self) -> Option<&mut Option<Bytes>> {
        T::bytes_mut(self)
    }

    fn check(&self, shape: &MemberShape, found: &mut Violations) {
        match self {
            Some(value) => found.value(shape, value),
            None if shape.required => found.missing(shape),
            None => {}
        }
    }

    fn debug(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Some(value) => value.debug(f),
            None => f.write_str("None"),
        }
    }
}

impl Value for String {
    fn read_json(json: &str) -> Result<Self, Error> {
        json::string(json).map(std::borrow::Cow::into_owned)
    }
    fn read_text(text: &str) -> Result<Self, Error> {
        Ok(text.to_owned())
    }
    fn write_json(&self, out: &mut Vec<u8>) {
        encode::string(self, out);
    }
    fn show(&self, out: &mut String) {
        out.push_str(self);
    }
    fn size(&self) -> f64 {
        length(self.chars().count())
    }
    fn as_text(&self) -> Option<&str> {
        Some(self)
    }
    fn debug(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A length as a bound is stored; no length here is near 2^53.
fn length(length: usize) -> f64 {
    u32::try_from(length).map_or(f64::INFINITY, f64::from)
}

/// Numbers and booleans, whose JSON and text are the same.
macro_rules! scalar {
    ($type:ty, $wanted:literal, $size:expr) => {
        impl Value for $type {
            fn read_json(json: &str) -> Result<Self, Error> {
                serde_json::from_str(json).map_err(|_| json::mismatch(json, $wanted))
            }
            fn read_text(text: &str) -> Result<Self, Error> {
                text.parse().map_err(|_| json::mismatch("\"\"", $wanted))
            }
            fn write_json(&self, out: &mut Vec<u8>) {
                encode::json(self, out);
            }
            fn show(&self, out: &mut String) {
                let _ = write!(out, "{self:?}");
            }
            fn size(&self) -> f64 {
                $size(*self)
            }
            fn debug(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self, f)
            }
        }
    };
}

scalar!(i32, "an Integer", f64::from);
scalar!(i64, "a Long", |value: i64| value as f64);
scalar!(f64, "a Double", |value: f64| value);
scalar!(bool, "a Boolean", |_| 0.0);

impl Value for DateTime {
    /// Reads seconds since the epoch, possibly with a fraction, to the nearest millisecond: a double holds no decimal
    /// fraction exactly.
    fn read_json(json: &str) -> Result<Self, Error> {
        let seconds: f64 = serde_json::from_str(json).map_err(|_| json::mismatch(json, "a Timestamp"))?;
        // Years 0001 to 9999, which every timestamp format can write.
        if !(-62_135_596_800.0..=253_402_300_799.0).contains(&seconds) {
            return Err(json::mismatch(json, "a Timestamp"));
        }
        #[expect(clippy::cast_possible_truncation, reason = "the bounds are checked above")]
        let milliseconds = (seconds * 1000.0).round() as i64;
        Ok(Self::from_millis(milliseconds))
    }
    fn read_text(text: &str) -> Result<Self, Error> {
        Self::from_str(text, Format::DateTimeWithOffset).map_err(|_| json::mismatch("\"\"", "a Timestamp"))
    }
    fn write_json(&self, out: &mut Vec<u8>) {
        match self.fmt(Format::EpochSeconds) {
            Ok(text) => out.extend_from_slice(text.as_bytes()),
            Err(_) => out.extend_from_slice(b"null"),
        }
    }
    fn show(&self, out: &mut String) {
        out.push_str(&self.fmt(Format::DateTime).unwrap_or_default());
    }
    fn debug(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Value for Bytes {
    /// Reads base64, directly from the request's text unless it has escapes (some clients write `\/`).
    fn read_json(json: &str) -> Result<Self, Error> {
        let text = json::string(json)?;
        let bytes = STANDARD.decode(text.as_bytes());
        bytes.map(Self::from).map_err(|_| Error::serialization("Unable to decode a blob: it is not Base64."))
    }
    fn write_json(&self, out: &mut Vec<u8>) {
        encode::string(&STANDARD.encode(self), out);
    }
    fn show(&self, out: &mut String) {
        let _ = write!(out, "java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]", self.len());
    }
    fn size(&self) -> f64 {
        length(self.len())
    }
    fn debug(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
    fn bytes_mut(member: &mut Option<Self>) -> Option<&mut Option<Bytes>> {
        Some(member)
    }
}

impl<T: Value> Value for Vec<T> {
    fn read_json(json: &str) -> Result<Self, Error> {
        let mut list = Self::new();
        json::array(json, |element| {
            list.push(T::read_json(element)?);
            Ok(())
        })?;
        Ok(list)
    }
    fn add_text(member: &mut Option<Self>, text: &str) -> Result<(), Error> {
        member.get_or_insert_with(Self::new).push(T::read_text(text)?);
        Ok(())
    }
    fn write_json(&self, out: &mut Vec<u8>) {
        encode::separated(out, b"[]", self, |value, out| value.write_json(out));
    }
    fn show(&self, out: &mut String) {
        out.push('[');
        for (place, value) in self.iter().enumerate() {
            out.push_str(if place == 0 { "" } else { ", " });
            value.show(out);
        }
        out.push(']');
    }
    fn size(&self) -> f64 {
        length(self.len())
    }
    fn bad_part(&self, shape: &Shape) -> Option<(&'static str, &'static Shape)> {
        let element = shape.element?;
        self.iter().any(|value| !value.holds(element)).then_some(("Member", element))
    }
    fn check_inside(&self, found: &mut Violations) {
        for (place, value) in self.iter().enumerate() {
            // The service counts from one and names the element `member`.
            found.within(format_args!("{}.member", place + 1), |found| value.check_inside(found));
        }
    }
    fn debug(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(Shown)).finish()
    }
}

impl<T: Value> Value for BTreeMap<String, T> {
    fn read_json(json: &str) -> Result<Self, Error> {
        let mut map = Self::new();
        json::object(json, |key, value| {
            // An entry with a null value is treated as absent.
            if value != "null" {
                map.insert(key.to_owned(), T::read_json(value)?);
            }
            Ok(())
        })?;
        Ok(map)
    }
    fn write_json(&self, out: &mut Vec<u8>) {
        encode::separated(out, b"{}", self, |(key, value), out| {
            encode::string(key, out);
            out.push(b':');
            value.write_json(out);
        });
    }
    fn show(&self, out: &mut String) {
        out.push('{');
        for (place, (key, value)) in self.iter().enumerate() {
            let _ = write!(out, "{}{key}=", if place == 0 { "" } else { ", " });
            value.show(out);
        }
        out.push('}');
    }
    fn size(&self) -> f64 {
        length(self.len())
    }
    fn bad_part(&self, shape: &Shape) -> Option<(&'static str, &'static Shape)> {
        let (key, element) = (shape.key?, shape.element?);
        if self.keys().any(|text| !text.holds(key)) {
            return Some(("Map keys", key));
        }
        self.values().any(|value| !value.holds(element)).then_some(("Map value", element))
    }
    fn debug(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(key, value)| (key, Shown(value)))).finish()
    }
}

impl<T: Structure + Default> Value for T {
    fn read_json(json: &str) -> Result<Self, Error> {
        let mut structure = Self::default();
        decode::body(&mut structure, json)?;
        Ok(structure)
    }
    fn write_json(&self, out: &mut Vec<u8>) {
        encode::structure(self, out);
    }
    fn show(&self, _out: &mut String) {}
    fn check_inside(&self, found: &mut Violations) {
        check_structure(self, found);
    }
    fn debug(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::schema::debug("", self, f)
    }
}

/// Formats a value with [`Value::debug`].
struct Shown<'a, T>(&'a T);

impl<T: Value> fmt::Debug for Shown<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.debug(f)
    }
}

/// A bound as messages write it; that of a double has a fraction.
pub(crate) fn bound(kind: Kind, bound: f64) -> String {
    if kind == Kind::Double { format!("{bound:?}") } else { format!("{bound}") }
}
