//! Code signing configs: which signing profiles may have signed the code of a function.

use std::collections::BTreeMap;

use lambd_store::record::{RecordError, RecordKind};
use lambd_store::{Row, Table};
use serde::{Deserialize, Serialize};

use super::Resource;

const RECORD: RecordKind = RecordKind::new(&[]);

/// A code signing config. Signatures are not checked, so that no code passes a policy of `Enforce`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSigningConfig {
    /// Any text of at most 256 characters.
    pub description: String,
    /// ARNs of versions of signing profiles, 1 to 20.
    pub profiles: Vec<String>,
    /// `UntrustedArtifactOnDeployment`: `Warn` or `Enforce`.
    pub untrusted: String,
    /// Tags, at most 50.
    pub tags: BTreeMap<String, String>,
    /// When it last changed, milliseconds since 1970.
    pub last_modified_ms: i64,
}

/// The stored form; the id stands in the key alone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    description: String,
    profiles: Vec<String>,
    untrusted: String,
    tags: BTreeMap<String, String>,
    last_modified_ms: i64,
}

impl Resource for CodeSigningConfig {
    const SEGMENT: &'static str = "code-signing-config";

    fn encode(&self) -> Result<Vec<u8>, RecordError> {
        let Self { description, profiles, untrusted, tags, last_modified_ms } = self.clone();
        RECORD.encode(&Record { description, profiles, untrusted, tags, last_modified_ms })
    }

    fn decode(row: &Row) -> Result<Self, RecordError> {
        let Record { description, profiles, untrusted, tags, last_modified_ms } =
            RECORD.decode(Table::Account, &row.key, &row.value)?;
        Ok(Self { description, profiles, untrusted, tags, last_modified_ms })
    }
}
