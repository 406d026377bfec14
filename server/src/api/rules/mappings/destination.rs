//! Where batches are reported that a function does not take.

use lambd_wire::{Error, types};

use super::source::EventSource;
use crate::api::rules::target_function::invalid;

/// The destination of failures that a request names; an empty one removes it. There is none for successes.
pub(in crate::api) fn on_failure(
    config: types::DestinationConfig,
    source: EventSource,
) -> Result<Option<String>, Error> {
    let unsupported =
        || invalid("Unsupported DestinationConfig parameter for given event source mapping type.");
    if config.on_success.is_some() {
        return Err(unsupported());
    }
    let given = config.on_failure.and_then(|failure| failure.destination).filter(|given| !given.is_empty());
    let Some(given) = given else { return Ok(None) };
    let is_topic = given.starts_with("kafka://");
    let service = given.split(':').nth(2).unwrap_or_default();
    let is_known = if is_topic { source.is_kafka() } else { ["sqs", "sns", "s3"].contains(&service) };
    if is_known && (source.is_stream() || source.is_kafka()) { Ok(Some(given)) } else { Err(unsupported()) }
}
