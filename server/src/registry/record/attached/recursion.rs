//! The stored form of what becomes of loops.

use lambd_model::{Attached, ByQualifier, RecursiveLoop};
use serde::{Deserialize, Serialize};

use super::Kind;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecursionRecord {
    recursive_loop: RecursiveLoopRecord,
}

#[derive(Debug, Serialize, Deserialize)]
enum RecursiveLoopRecord {
    Allow,
    Terminate,
}

impl Kind for RecursiveLoop {
    const SEGMENT: &'static str = "recursion";
    type Record = RecursionRecord;

    fn all(attached: &Attached) -> &ByQualifier<Self> {
        &attached.recursion
    }

    fn all_mut(attached: &mut Attached) -> &mut ByQualifier<Self> {
        &mut attached.recursion
    }
}

impl From<RecursiveLoop> for RecursionRecord {
    fn from(setting: RecursiveLoop) -> Self {
        let recursive_loop = match setting {
            RecursiveLoop::Allow => RecursiveLoopRecord::Allow,
            RecursiveLoop::Terminate => RecursiveLoopRecord::Terminate,
        };
        Self { recursive_loop }
    }
}

impl From<RecursionRecord> for RecursiveLoop {
    fn from(record: RecursionRecord) -> Self {
        match record.recursive_loop {
            RecursiveLoopRecord::Allow => Self::Allow,
            RecursiveLoopRecord::Terminate => Self::Terminate,
        }
    }
}
