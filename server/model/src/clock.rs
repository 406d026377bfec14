//! Times of the wall clock in AWS's formats.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// Milliseconds since 1970, the unit of every stored time.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Formats a time as `2024-01-31T09:08:07.123+0000`, the form of `LastModified` [fact:last-modified-form].
pub fn last_modified(ms: i64) -> String {
    format(ms, "%Y-%m-%dT%H:%M:%S%.3f+0000")
}

/// Formats a time as `2024-01-31T09:08:07+0000`, the form of `LastModified` of provisioned concurrency
/// [fact:provisioned-answers].
pub fn last_modified_s(ms: i64) -> String {
    format(ms, "%Y-%m-%dT%H:%M:%S+0000")
}

/// Formats a time as `2024-01-31T09:08:07.123Z`, the form of times in telemetry [fact:json-records].
pub fn rfc3339(ms: i64) -> String {
    format(ms, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

/// Formats a day as `2024/01/31`, the beginning of a log stream's name [fact:stream-names].
pub fn stream_date(ms: i64) -> String {
    format(ms, "%Y/%m/%d")
}

fn format(ms: i64, pattern: &str) -> String {
    Timestamp::from_millisecond(ms).unwrap_or_default().strftime(pattern).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_forms_of_aws() {
        assert_eq!(last_modified(1_706_692_087_120), "2024-01-31T09:08:07.120+0000");
        assert_eq!(last_modified(0), "1970-01-01T00:00:00.000+0000");
        assert_eq!(last_modified_s(1_706_692_087_120), "2024-01-31T09:08:07+0000");
        assert_eq!(rfc3339(1_706_692_087_120), "2024-01-31T09:08:07.120Z");
        assert_eq!(stream_date(1_706_692_087_120), "2024/01/31");
    }
}
