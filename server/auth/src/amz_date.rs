//! The one date format of Signature Version 4: ISO 8601 basic, UTC, `20150830T123600Z`.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

/// A moment with a resolution of one second, and its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AmzDate {
    text: [u8; 16],
    unix_s: i64,
}

impl AmzDate {
    /// Reads exactly `YYYYMMDDTHHMMSSZ`, a date that exists, in the years 1970 to 9998.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text: [u8; 16] = text.as_bytes().try_into().ok()?;
        if text[8] != b'T' || text[15] != b'Z' {
            return None;
        }
        let number = |from: usize, to: usize| -> Option<i8> {
            text[from..to].iter().try_fold(0_i8, |sum, digit| {
                digit.is_ascii_digit().then(|| sum * 10 + i8::try_from(digit - b'0').unwrap_or(0))
            })
        };
        let year = i16::from(number(0, 2)?) * 100 + i16::from(number(2, 4)?);
        if !(1970..=9998).contains(&year) {
            return None;
        }
        let at = civil::DateTime::new(
            year,
            number(4, 6)?,
            number(6, 8)?,
            number(9, 11)?,
            number(11, 13)?,
            number(13, 15)?,
            0,
        );
        let unix_s = TimeZone::UTC.to_timestamp(at.ok()?).ok()?.as_second();
        Some(Self { text, unix_s })
    }

    /// The date of a moment; a moment outside the years of [`AmzDate::parse`] becomes the nearest one inside.
    pub(super) fn from_unix(unix_s: i64) -> Self {
        let unix_s = unix_s.clamp(0, 253_370_764_799); // 9998-12-31T23:59:59Z
        let at = TimeZone::UTC.to_datetime(Timestamp::from_second(unix_s).unwrap_or(Timestamp::UNIX_EPOCH));
        let mut text = *b"00000000T000000Z";
        let mut put = |from: usize, to: usize, value: i32| {
            let mut rest = value.unsigned_abs();
            for digit in text[from..to].iter_mut().rev() {
                *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
                rest /= 10;
            }
        };
        put(0, 4, at.year().into());
        put(4, 6, at.month().into());
        put(6, 8, at.day().into());
        put(9, 11, at.hour().into());
        put(11, 13, at.minute().into());
        put(13, 15, at.second().into());
        Self { text, unix_s }
    }

    pub(super) fn of(now: SystemTime) -> Self {
        let since = now.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        Self::from_unix(i64::try_from(since).unwrap_or(i64::MAX))
    }

    pub(super) fn unix_s(self) -> i64 {
        self.unix_s
    }

    /// The whole text.
    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// The day as it is in a scope: `YYYYMMDD`.
    pub(super) fn day(&self) -> &str {
        &self.as_str()[..8]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_and_written() {
        for (text, unix_s) in [
            ("19700101T000000Z", 0),
            ("20150830T123600Z", 1_440_938_160),
            ("20240229T235959Z", 1_709_251_199),
            ("20261123T191221Z", 1_795_461_141),
            ("99981231T235959Z", 253_370_764_799),
        ] {
            let date = AmzDate::parse(text).unwrap();
            assert_eq!(date.unix_s(), unix_s, "{text}");
            assert_eq!(AmzDate::from_unix(unix_s).as_str(), text);
            assert_eq!(date.day(), &text[..8]);
        }
    }

    #[test]
    fn any_other_form_is_refused() {
        for text in [
            "",
            "20150830",
            "20150830T123600",
            "20150830T123600z",
            "20150830 123600Z",
            "2015-08-30T12:36:00Z",
            "20150230T123600Z",
            "20151330T123600Z",
            "20150830T243600Z",
            "20150830T126000Z",
            "2015083²T12360Z",
            "-0150830T123600Z",
            "00000000T000000Z",
            "19691231T235959Z",
            "99990101T000000Z",
            "Mon, 09 Sep 2011 23:36:00 GMT",
        ] {
            assert_eq!(AmzDate::parse(text), None, "{text}");
        }
    }
}
