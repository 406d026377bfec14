//! Layers: their versions, and who of other accounts may use them.

use std::collections::BTreeMap;

use lambd_model::{CodeRef, Sha256};
use lambd_store::record::{RecordError, RecordKind};
use lambd_store::{Row, Table};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Resource;

const RECORD: RecordKind = RecordKind::new(&[]);

/// A layer. It stays when its last version is deleted, because no number is given twice [fact:layer-numbers].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layer {
    /// The last number that was given to a version.
    pub last_number: u64,
    /// The versions that are not deleted.
    pub versions: BTreeMap<u64, LayerVersion>,
}

/// A version of a layer; only its policy changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerVersion {
    /// Its zip.
    pub code: CodeRef,
    /// `Description`, at most 256 characters.
    pub description: String,
    /// `LicenseInfo`, if it was given.
    pub license: Option<String>,
    /// `CompatibleRuntimes`, if they were given.
    pub runtimes: Option<Vec<String>>,
    /// `CompatibleArchitectures`, if they were given.
    pub architectures: Option<Vec<String>>,
    /// When it was published, milliseconds since 1970.
    pub created_ms: i64,
    /// Permissions in the order in which they were added.
    pub policy: Vec<LayerPermission>,
    /// Changes with the policy.
    pub policy_revision: Uuid,
}

/// Who may use a version of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerPermission {
    /// `StatementId`.
    pub sid: String,
    /// `*`, an account, or the ARN of an account's root.
    pub principal: String,
    /// `OrganizationId`: only accounts of this organization, of which lambd knows none.
    pub organization: Option<String>,
}

/// The stored form; the name stands in the key alone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerRecord {
    last_number: u64,
    versions: BTreeMap<u64, LayerVersionRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerVersionRecord {
    /// 64 hexadecimal digits.
    sha256: Sha256,
    zipped_bytes: u64,
    description: String,
    license: Option<String>,
    runtimes: Option<Vec<String>>,
    architectures: Option<Vec<String>>,
    created_ms: i64,
    policy: Vec<PermissionRecord>,
    policy_revision: Uuid,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PermissionRecord {
    sid: String,
    principal: String,
    organization: Option<String>,
}

impl LayerVersionRecord {
    fn of(version: LayerVersion) -> Self {
        let LayerVersion {
            code: CodeRef { sha256, zipped_bytes },
            description,
            license,
            runtimes,
            architectures,
            created_ms,
            policy,
            policy_revision,
        } = version;
        let permission = |LayerPermission { sid, principal, organization }| PermissionRecord {
            sid,
            principal,
            organization,
        };
        let policy = policy.into_iter().map(permission).collect();
        Self {
            sha256,
            zipped_bytes,
            description,
            license,
            runtimes,
            architectures,
            created_ms,
            policy,
            policy_revision,
        }
    }

    fn into_version(self) -> LayerVersion {
        let Self { sha256, zipped_bytes, description, license, runtimes, architectures, created_ms, .. } =
            self;
        let permission = |PermissionRecord { sid, principal, organization }| LayerPermission {
            sid,
            principal,
            organization,
        };
        LayerVersion {
            code: CodeRef { sha256, zipped_bytes },
            description,
            license,
            runtimes,
            architectures,
            created_ms,
            policy: self.policy.into_iter().map(permission).collect(),
            policy_revision: self.policy_revision,
        }
    }
}

impl Resource for Layer {
    const SEGMENT: &'static str = "layer";

    fn encode(&self) -> Result<Vec<u8>, RecordError> {
        let Self { last_number, versions } = self.clone();
        let versions =
            versions.into_iter().map(|(number, version)| (number, LayerVersionRecord::of(version)));
        RECORD.encode(&LayerRecord { last_number, versions: versions.collect() })
    }

    fn decode(row: &Row) -> Result<Self, RecordError> {
        let LayerRecord { last_number, versions } = RECORD.decode(Table::Account, &row.key, &row.value)?;
        let versions = versions.into_iter().map(|(number, version)| (number, version.into_version()));
        Ok(Self { last_number, versions: versions.collect() })
    }
}
