//! The stored form of provisioned concurrency.

use lambd_model::{Attached, ByQualifier, ProvisionedConcurrency};
use serde::{Deserialize, Serialize};

use super::Kind;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProvisionedRecord {
    executions: u32,
    last_modified_ms: i64,
}

impl Kind for ProvisionedConcurrency {
    const SEGMENT: &'static str = "provisioned";
    type Record = ProvisionedRecord;

    fn all(attached: &Attached) -> &ByQualifier<Self> {
        &attached.provisioned
    }

    fn all_mut(attached: &mut Attached) -> &mut ByQualifier<Self> {
        &mut attached.provisioned
    }
}

impl From<ProvisionedConcurrency> for ProvisionedRecord {
    fn from(setting: ProvisionedConcurrency) -> Self {
        let ProvisionedConcurrency { executions, last_modified_ms } = setting;
        Self { executions, last_modified_ms }
    }
}

impl From<ProvisionedRecord> for ProvisionedConcurrency {
    fn from(record: ProvisionedRecord) -> Self {
        let ProvisionedRecord { executions, last_modified_ms } = record;
        Self { executions, last_modified_ms }
    }
}
