//! The stored form of runtime management.

use lambd_model::{Attached, ByQualifier, RuntimeManagement, RuntimeUpdates};
use serde::{Deserialize, Serialize};

use super::Kind;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuntimeManagementRecord {
    updates: RuntimeUpdatesRecord,
    version_arn: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
enum RuntimeUpdatesRecord {
    Auto,
    FunctionUpdate,
    Manual,
}

impl Kind for RuntimeManagement {
    const SEGMENT: &'static str = "runtime-management";
    type Record = RuntimeManagementRecord;

    fn all(attached: &Attached) -> &ByQualifier<Self> {
        &attached.runtime_management
    }

    fn all_mut(attached: &mut Attached) -> &mut ByQualifier<Self> {
        &mut attached.runtime_management
    }
}

impl From<RuntimeManagement> for RuntimeManagementRecord {
    fn from(setting: RuntimeManagement) -> Self {
        let RuntimeManagement { updates, version_arn } = setting;
        let updates = match updates {
            RuntimeUpdates::Auto => RuntimeUpdatesRecord::Auto,
            RuntimeUpdates::FunctionUpdate => RuntimeUpdatesRecord::FunctionUpdate,
            RuntimeUpdates::Manual => RuntimeUpdatesRecord::Manual,
        };
        Self { updates, version_arn }
    }
}

impl From<RuntimeManagementRecord> for RuntimeManagement {
    fn from(record: RuntimeManagementRecord) -> Self {
        let RuntimeManagementRecord { updates, version_arn } = record;
        let updates = match updates {
            RuntimeUpdatesRecord::Auto => RuntimeUpdates::Auto,
            RuntimeUpdatesRecord::FunctionUpdate => RuntimeUpdates::FunctionUpdate,
            RuntimeUpdatesRecord::Manual => RuntimeUpdates::Manual,
        };
        Self { updates, version_arn }
    }
}
