//! Capacity providers: instances that functions could run on. Nothing runs on them here.
//!
//! These types are the stored form themselves, as those of event source mappings.

use std::collections::BTreeMap;

use lambd_store::record::{RecordError, RecordKind};
use lambd_store::{Row, Table};
use serde::{Deserialize, Serialize};

use super::Resource;

const RECORD: RecordKind = RecordKind::new(&[]);

/// A capacity provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapacityProvider {
    /// Where it stands.
    pub state: ProviderState,
    /// Subnets, 1 to 16.
    pub subnet_ids: Vec<String>,
    /// Security groups, at most 5.
    pub security_group_ids: Vec<String>,
    /// ARN of the role that manages its instances.
    pub operator_role: String,
    /// What instances it may have, if the caller said so.
    pub requirements: Option<Requirements>,
    /// How it grows.
    pub scaling: ProviderScaling,
    /// Key that encrypts what it has.
    pub kms_key_arn: Option<String>,
    /// `None` or `Explicit` with the tags that its instances get, if the caller said so.
    pub propagated_tags: Option<(String, BTreeMap<String, String>)>,
    /// Its own log, if the caller said so: level and group.
    pub log: Option<(Option<String>, Option<String>)>,
    /// Tags, at most 50.
    pub tags: BTreeMap<String, String>,
    /// When a request last changed it, milliseconds since 1970.
    pub last_modified_ms: i64,
}

/// Where a capacity provider stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProviderState {
    /// Made or changed; becomes Active by itself.
    Pending,
    /// Settled.
    Active,
    /// To be removed.
    Deleting,
}

/// What instances a capacity provider may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirements {
    /// `x86_64` or `arm64`.
    pub architectures: Option<Vec<String>>,
    /// Types that are allowed.
    pub allowed: Option<Vec<String>>,
    /// Types that are not.
    pub excluded: Option<Vec<String>>,
}

/// How a capacity provider grows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderScaling {
    /// Most vCPUs of all its instances, 2 to 15,000.
    pub vcpus_max: i32,
    /// `Auto` or `Manual`.
    pub mode: String,
    /// Metrics with the values, 0 to 100, that they are kept at.
    pub policies: Vec<(String, f64)>,
}

impl Resource for CapacityProvider {
    const SEGMENT: &'static str = "capacity-provider";

    fn encode(&self) -> Result<Vec<u8>, RecordError> {
        RECORD.encode(self)
    }

    fn decode(row: &Row) -> Result<Self, RecordError> {
        RECORD.decode(Table::Account, &row.key, &row.value)
    }
}
