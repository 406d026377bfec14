//! The rows of [`Table::Logs`](lambd_store::Table::Logs).
//!
//! - `e` group NUL position → an event
//! - `s` group NUL position → the size of the segment that starts at this position
//!
//! A position is a big-endian number whose upper 44 bits are milliseconds since 1970. The one writer assigns
//! it, and it always grows. So a reader that continues from the last position that it saw misses nothing,
//! even if the clock is set back.

use std::fmt;
use std::num::ParseIntError;
use std::ops::Bound;
use std::str::FromStr;

use super::{LogEvent, MESSAGE_BYTES_MAX, StoredEvent};

/// Longest name of a group or stream in bytes (CloudWatch Logs).
const NAME_BYTES_MAX: usize = 512;
const TIME_SHIFT: u32 = 20;
const EVENT: u8 = b'e';
const SEGMENT: u8 = b's';
/// The first byte of an event's row.
const VERSION: u8 = 1;

/// A position in the log of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cursor(u64);

impl Cursor {
    /// The position before the first event.
    pub const START: Self = Self(0);

    /// The position before the first event that was written at or after a time, milliseconds since 1970.
    #[cfg(test)]
    pub fn since(time_ms: u64) -> Self {
        Self((time_ms << TIME_SHIFT).saturating_sub(1))
    }

    /// The time of the position, milliseconds since 1970.
    pub(super) const fn time_ms(self) -> u64 {
        self.0 >> TIME_SHIFT
    }

    /// The position of the next event, if it is written now.
    pub(super) fn next(self, now_ms: u64) -> Self {
        Self((now_ms << TIME_SHIFT).max(self.0.saturating_add(1)))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Cursor {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

/// The name of a group or stream in the form that a key can have.
pub(super) fn clean(name: &str) -> String {
    cut(name, NAME_BYTES_MAX).replace('\0', " ")
}

/// As much of `text` as fits, cut between characters.
pub(super) fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

fn key(kind: u8, group: &str, position: Cursor) -> Vec<u8> {
    [&[kind], group.as_bytes(), &[0], &position.0.to_be_bytes()].concat()
}

pub(super) fn event(group: &str, position: Cursor) -> Vec<u8> {
    key(EVENT, group, position)
}

pub(super) fn segment(group: &str, start: Cursor) -> Vec<u8> {
    key(SEGMENT, group, start)
}

/// The prefix of the keys of all segments.
pub(super) const SEGMENTS: &[u8] = &[SEGMENT];

/// The prefix of the keys of a group's segments.
pub(super) fn segments(group: &str) -> Vec<u8> {
    [SEGMENTS, clean(group).as_bytes(), &[0]].concat()
}

/// Reads the key of a segment.
pub(super) fn parse_segment(key: &[u8]) -> Option<(&str, Cursor)> {
    let (group, _) = key.strip_prefix(SEGMENTS)?.split_last_chunk::<8>()?;
    Some((str::from_utf8(group.strip_suffix(&[0])?).ok()?, position(key)?))
}

/// The position at the end of a key.
pub(super) fn position(key: &[u8]) -> Option<Cursor> {
    key.last_chunk().map(|bytes| Cursor(u64::from_be_bytes(*bytes)))
}

/// The lower bound of the events of `group` after `from`.
pub(super) fn behind(group: &str, from: Cursor) -> Bound<Vec<u8>> {
    Bound::Excluded(event(&clean(group), from))
}

/// The upper bound of the events of `group`.
pub(super) fn end(group: &str) -> Bound<Vec<u8>> {
    Bound::Excluded([&[EVENT], clean(group).as_bytes(), &[1]].concat())
}

/// Encodes an event as the value of a row.
pub(super) fn encode(stream: &str, event: &LogEvent) -> Vec<u8> {
    let message = cut(&event.message, MESSAGE_BYTES_MAX);
    let stream_bytes = u16::try_from(stream.len()).unwrap_or_default().to_be_bytes();
    [&[VERSION][..], &event.time_ms.to_be_bytes(), &stream_bytes, stream.as_bytes(), message.as_bytes()]
        .concat()
}

/// Reads the form that [`encode`] writes.
pub(super) fn decode(value: &[u8]) -> Option<StoredEvent> {
    let (time_ms, rest) = value.strip_prefix(&[VERSION])?.split_first_chunk()?;
    let (stream_bytes, rest) = rest.split_first_chunk()?;
    let (stream, message) = rest.split_at_checked(u16::from_be_bytes(*stream_bytes).into())?;
    Some(StoredEvent {
        time_ms: i64::from_be_bytes(*time_ms),
        stream: str::from_utf8(stream).ok()?.into(),
        message: str::from_utf8(message).ok()?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_back() {
        for (stream, message) in [("2026/11/23/[$LATEST]ab", "é ☃\nx"), ("", ""), (&"s".repeat(512), "m")]
        {
            let row = encode(stream, &LogEvent { time_ms: -5, message: message.into() });
            let want = StoredEvent { time_ms: -5, stream: stream.into(), message: message.into() };
            assert_eq!(decode(&row), Some(want));
        }
        for bad in [&b""[..], b"\x01", b"\x02aaaaaaaaaaaaaaaa", b"\x01\0\0\0\0\0\0\0\0\0\x09abc"] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
        let long = LogEvent { time_ms: 0, message: "é".repeat(MESSAGE_BYTES_MAX) };
        assert_eq!(decode(&encode("s", &long)).unwrap().message.len(), MESSAGE_BYTES_MAX);
    }

    #[test]
    fn segments_are_read_back() {
        let key = segment("/aws/lambda/f", Cursor(0x0102));
        assert_eq!(parse_segment(&key), Some(("/aws/lambda/f", Cursor(0x0102))));
        assert_eq!(parse_segment(&event("f", Cursor(1))), None);
        assert_eq!(parse_segment(b"s"), None);
    }

    #[test]
    fn positions_grow_even_if_the_clock_goes_back() {
        let mut last = Cursor::START;
        for now_ms in [1000, 1000, 1001, 500, 500, 1002] {
            let next = last.next(now_ms);
            assert!(next > last);
            last = next;
        }
        assert_eq!(last.time_ms(), 1002);
        assert!(Cursor::since(1002) < last && last < Cursor::since(1003));
        assert_eq!(last.to_string().parse(), Ok(last));
    }
}
