//! The stored form of what becomes of asynchronous invocations.

use lambd_model::{Attached, ByQualifier, EventInvoke};
use serde::{Deserialize, Serialize};

use super::Kind;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventInvokeRecord {
    retries_max: Option<u32>,
    age_max_s: Option<u32>,
    on_success: Option<String>,
    on_failure: Option<String>,
    last_modified_ms: i64,
}

impl Kind for EventInvoke {
    const SEGMENT: &'static str = "event-invoke";
    type Record = EventInvokeRecord;

    fn all(attached: &Attached) -> &ByQualifier<Self> {
        &attached.event_invoke
    }

    fn all_mut(attached: &mut Attached) -> &mut ByQualifier<Self> {
        &mut attached.event_invoke
    }
}

impl From<EventInvoke> for EventInvokeRecord {
    fn from(setting: EventInvoke) -> Self {
        let EventInvoke { retries_max, age_max_s, on_success, on_failure, last_modified_ms } = setting;
        Self { retries_max, age_max_s, on_success, on_failure, last_modified_ms }
    }
}

impl From<EventInvokeRecord> for EventInvoke {
    fn from(record: EventInvokeRecord) -> Self {
        let EventInvokeRecord { retries_max, age_max_s, on_success, on_failure, last_modified_ms } = record;
        Self { retries_max, age_max_s, on_success, on_failure, last_modified_ms }
    }
}
