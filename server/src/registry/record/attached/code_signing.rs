//! The stored form of which code signing config a function has.

use lambd_model::{Attached, ByQualifier, CodeSigning};
use serde::{Deserialize, Serialize};

use super::Kind;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeSigningRecord {
    config: String,
}

impl Kind for CodeSigning {
    const SEGMENT: &'static str = "code-signing";
    type Record = CodeSigningRecord;

    fn all(attached: &Attached) -> &ByQualifier<Self> {
        &attached.code_signing
    }

    fn all_mut(attached: &mut Attached) -> &mut ByQualifier<Self> {
        &mut attached.code_signing
    }
}

impl From<CodeSigning> for CodeSigningRecord {
    fn from(CodeSigning { config }: CodeSigning) -> Self {
        Self { config }
    }
}

impl From<CodeSigningRecord> for CodeSigning {
    fn from(CodeSigningRecord { config }: CodeSigningRecord) -> Self {
        Self { config }
    }
}
