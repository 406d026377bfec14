//! Event source mappings: which queue or stream a function gets its events from, and how.
//!
//! These types are the stored form themselves, because only the API's rules use them and they are shown member by
//! member: a change of one raises the version of the record.

use std::collections::BTreeMap;

use lambd_store::record::{RecordError, RecordKind};
use lambd_store::{Row, Table};
use serde::{Deserialize, Serialize};

use super::Resource;

const RECORD: RecordKind = RecordKind::new(&[]);

/// An event source mapping. What a source does not have is `None` or empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventSourceMapping {
    /// Name of the function, of the same account and region. The function may have been deleted.
    pub function: String,
    /// The version or alias that the caller named.
    pub qualifier: Option<String>,
    /// ARN of the source; `None` for Kafka that AWS does not manage.
    pub source_arn: Option<String>,
    /// `host:port` of Kafka that AWS does not manage.
    pub bootstrap_servers: Vec<String>,
    /// Where it stands.
    pub state: MappingState,
    /// Whether it is or will be enabled.
    pub is_enabled: bool,
    /// Records of one batch, 1 to 10,000.
    pub batch_size: i32,
    /// How long to gather a batch, 0 to 300 seconds.
    pub window_s: Option<i32>,
    /// Batches of one shard at a time, 1 to 10.
    pub parallelization_factor: Option<i32>,
    /// Where to begin: `LATEST`, `TRIM_HORIZON` or `AT_TIMESTAMP`.
    pub starting_position: Option<String>,
    /// The time of `AT_TIMESTAMP`, milliseconds since 1970.
    pub starting_position_ms: Option<i64>,
    /// JSON patterns as they were given, at most 5.
    pub filters: Vec<String>,
    /// Key that encrypts the filters; kept and shown.
    pub kms_key_arn: Option<String>,
    /// Where discarded batches are reported: an ARN or `kafka://topic`.
    pub on_failure: Option<String>,
    /// Age at which a record is discarded, seconds; -1 is never.
    pub record_age_max_s: Option<i32>,
    /// Retries before a batch is discarded; -1 is no limit.
    pub retries_max: Option<i32>,
    /// Whether a failed batch is halved.
    pub bisects: Option<bool>,
    /// Length of a tumbling window, 0 to 900 seconds.
    pub tumbling_window_s: Option<i32>,
    /// `ReportBatchItemFailures` or nothing.
    pub response_types: Vec<String>,
    /// Invocations at a time, 2 to 1,000.
    pub concurrency_max: Option<i32>,
    /// Pollers that are kept ready.
    pub pollers: Option<Pollers>,
    /// Metrics to emit.
    pub metrics: Vec<String>,
    /// Level of the mapping's own log.
    pub log_level: Option<String>,
    /// The topic of Kafka.
    pub topics: Vec<String>,
    /// The queue of MQ.
    pub queues: Vec<String>,
    /// Credentials and network of the source: a type and a URI each.
    pub access: Vec<(String, String)>,
    /// What only Kafka has.
    pub kafka: Option<Kafka>,
    /// What only DocumentDB has.
    pub document_db: Option<DocumentDb>,
    /// Tags, at most 50.
    pub tags: BTreeMap<String, String>,
    /// When a request last changed it, milliseconds since 1970.
    pub last_modified_ms: i64,
}

/// Where a mapping stands. Those that end in `-ing` move on by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MappingState {
    /// Made enabled.
    Creating,
    /// Enabled by a request.
    Enabling,
    /// Settled.
    Enabled,
    /// Disabled by a request.
    Disabling,
    /// Settled.
    Disabled,
    /// Changed otherwise.
    Updating,
    /// To be removed.
    Deleting,
}

impl MappingState {
    /// Whether it stays until a request changes it.
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Enabled | Self::Disabled)
    }
}

/// Pollers that are kept ready for a mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pollers {
    /// At least so many.
    pub min: i32,
    /// At most so many.
    pub max: i32,
    /// Group that shares them.
    pub group: Option<String>,
}

/// What only mappings of Kafka have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kafka {
    /// The consumer group; the id of the mapping where none was given.
    pub consumer_group: String,
    /// `Stream` or `Queue`, if it was given.
    pub consumption_mode: Option<String>,
    /// Schemas of keys and values.
    pub registry: Option<SchemaRegistry>,
}

/// A schema registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaRegistry {
    /// Its address or ARN.
    pub uri: Option<String>,
    /// `JSON` or `SOURCE`.
    pub record_format: Option<String>,
    /// Credentials: a type and an ARN each.
    pub access: Vec<(String, String)>,
    /// What is validated: `KEY`, `VALUE`.
    pub validates: Vec<String>,
}

/// What only mappings of DocumentDB have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentDb {
    /// The database.
    pub database: String,
    /// The collection; all where none was given.
    pub collection: Option<String>,
    /// `Default` or `UpdateLookup`.
    pub full_document: Option<String>,
}

impl Resource for EventSourceMapping {
    const SEGMENT: &'static str = "event-source-mapping";

    fn encode(&self) -> Result<Vec<u8>, RecordError> {
        RECORD.encode(self)
    }

    fn decode(row: &Row) -> Result<Self, RecordError> {
        RECORD.decode(Table::Account, &row.key, &row.value)
    }
}
