//! The kinds of event sources.

use lambd_wire::Error;

use crate::api::rules::target_function::invalid;
use crate::resources::EventSourceMapping;

/// Largest batch of any source, records.
const BATCH_MAX: i32 = 10_000;
/// Largest batch of a FIFO queue, records.
const FIFO_BATCH_MAX: i32 = 10;

/// What a mapping gets its events from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum EventSource {
    Sqs,
    SqsFifo,
    Kinesis,
    DynamoDb,
    Msk,
    SelfManagedKafka,
    Mq,
    DocumentDb,
}

impl EventSource {
    /// The kind of an ARN; Kafka that AWS does not manage has none.
    pub(in crate::api) fn parse(arn: Option<&str>, is_self_managed: bool) -> Result<Self, Error> {
        let found = match (arn, is_self_managed) {
            (None, true) => Some(Self::SelfManagedKafka),
            (Some(arn), false) => Self::of_arn(arn),
            _ => None,
        };
        found.ok_or_else(|| invalid("Unrecognized event source."))
    }

    /// The source of a mapping that was accepted before.
    pub(in crate::api) fn of(mapping: &EventSourceMapping) -> Self {
        mapping.source_arn.as_deref().and_then(Self::of_arn).unwrap_or(Self::SelfManagedKafka)
    }

    fn of_arn(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let service = parts.nth(2)?;
        let resource = parts.nth(2)?;
        match service {
            "sqs" if resource.ends_with(".fifo") => Some(Self::SqsFifo),
            "sqs" => Some(Self::Sqs),
            "kinesis" if resource.starts_with("stream/") => Some(Self::Kinesis),
            "dynamodb" if resource.starts_with("table/") && resource.contains("/stream/") => {
                Some(Self::DynamoDb)
            }
            "kafka" => Some(Self::Msk),
            "mq" if resource.starts_with("broker:") => Some(Self::Mq),
            "rds" if resource.starts_with("cluster:") => Some(Self::DocumentDb),
            _ => None,
        }
    }

    pub(in crate::api) const fn is_queue(self) -> bool {
        matches!(self, Self::Sqs | Self::SqsFifo)
    }

    /// Kinesis and DynamoDB, whose shards keep an order.
    pub(in crate::api) const fn is_stream(self) -> bool {
        matches!(self, Self::Kinesis | Self::DynamoDb)
    }

    pub(in crate::api) const fn is_kafka(self) -> bool {
        matches!(self, Self::Msk | Self::SelfManagedKafka)
    }

    /// Whether a mapping begins somewhere in the past.
    pub(in crate::api) const fn has_position(self) -> bool {
        !self.is_queue() && !matches!(self, Self::Mq)
    }

    pub(in crate::api) const fn batch_size(self) -> i32 {
        if self.is_queue() { 10 } else { 100 }
    }

    pub(in crate::api) const fn batch_size_max(self) -> i32 {
        if matches!(self, Self::SqsFifo) { FIFO_BATCH_MAX } else { BATCH_MAX }
    }

    /// The fewest pollers that may be kept ready, and the bounds of their largest number.
    pub(in crate::api) const fn poller_bounds(self) -> (i32, i32) {
        if self.is_queue() { (2, 10_000) } else { (1, 2000) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_known_by_its_arn() {
        for (arn, want) in [
            ("arn:aws:sqs:us-east-1:000000000000:q", Some(EventSource::Sqs)),
            ("arn:aws:sqs:us-east-1:000000000000:q.fifo", Some(EventSource::SqsFifo)),
            ("arn:aws:kinesis:us-east-1:000000000000:stream/s", Some(EventSource::Kinesis)),
            ("arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/c:1", Some(EventSource::Kinesis)),
            ("arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2025", Some(EventSource::DynamoDb)),
            ("arn:aws:dynamodb:us-east-1:000000000000:table/t", None),
            ("arn:aws:kafka:us-east-1:000000000000:cluster/c/u", Some(EventSource::Msk)),
            ("arn:aws:mq:us-east-1:000000000000:broker:b:b-1", Some(EventSource::Mq)),
            ("arn:aws:rds:us-east-1:000000000000:cluster:c", Some(EventSource::DocumentDb)),
            ("arn:aws:s3:::bucket", None),
        ] {
            assert_eq!(EventSource::parse(Some(arn), false).ok(), want, "{arn}");
        }
        assert_eq!(EventSource::parse(None, true), Ok(EventSource::SelfManagedKafka));
        for (arn, is_self_managed) in [(None, false), (Some("arn:aws:sqs:us-east-1:000000000000:q"), true)] {
            let refused = EventSource::parse(arn, is_self_managed).unwrap_err();
            assert_eq!(refused.message, "Unrecognized event source.");
        }
    }
}
