//! The stored form of numbers of environments on managed instances.

use lambd_model::{Attached, ByQualifier, Scaling};
use serde::{Deserialize, Serialize};

use super::Kind;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScalingRecord {
    environments_min: Option<u32>,
    environments_max: Option<u32>,
}

impl Kind for Scaling {
    const SEGMENT: &'static str = "scaling";
    type Record = ScalingRecord;

    fn all(attached: &Attached) -> &ByQualifier<Self> {
        &attached.scaling
    }

    fn all_mut(attached: &mut Attached) -> &mut ByQualifier<Self> {
        &mut attached.scaling
    }
}

impl From<Scaling> for ScalingRecord {
    fn from(setting: Scaling) -> Self {
        let Scaling { environments_min, environments_max } = setting;
        Self { environments_min, environments_max }
    }
}

impl From<ScalingRecord> for Scaling {
    fn from(record: ScalingRecord) -> Self {
        let ScalingRecord { environments_min, environments_max } = record;
        Self { environments_min, environments_max }
    }
}
