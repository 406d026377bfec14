//! Where a mapping begins to read [fact:mapping-parameters].

use lambd_model::clock;
use lambd_wire::{DateTime, Error};

use super::source::EventSource;
use crate::api::rules::target_function::invalid;

/// The position and the time of `AT_TIMESTAMP`, milliseconds since 1970. Shards need a position; others may have none.
pub(in crate::api) fn check(
    source: EventSource,
    arn: Option<&str>,
    position: Option<String>,
    time: Option<DateTime>,
) -> Result<(Option<String>, Option<i64>), Error> {
    let Some(position) = position else {
        if source.is_stream() {
            return Err(invalid(
                "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member \
                 must not be null.",
            ));
        }
        return Ok((None, None));
    };
    let is_timed = position == "AT_TIMESTAMP";
    if !source.has_position() || (is_timed && source == EventSource::DynamoDb) {
        let arn = arn.unwrap_or_default();
        return Err(invalid(format!("Unsupported starting position for arn type: {arn}")));
    }
    let time_ms = time.and_then(|time| time.to_millis().ok());
    match time_ms {
        None if is_timed => Err(invalid("StartingPosition AT_TIMESTAMP needs StartingPositionTimestamp.")),
        Some(_) if !is_timed => {
            Err(invalid("StartingPositionTimestamp is only for StartingPosition AT_TIMESTAMP."))
        }
        Some(ms) if ms > clock::now_ms() => {
            Err(invalid("StartingPositionTimestamp must not be in the future."))
        }
        time_ms => Ok((Some(position), time_ms)),
    }
}
