//! A function and its configuration, as the registry keeps it.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::attached::Attached;
use crate::policy::Statement;
use crate::published::{Aliases, PublishedVersion};
use crate::{FunctionId, LATEST, Sha256};

/// A function's own environment variables. `Debug` shows the names only, because values are often secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(pub BTreeMap<String, String>);

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// `State` of a function [fact:function-states]. Its other values belong to features that are not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionState {
    /// Created, but not settled yet: invocations wait.
    Pending,
    /// Ready for invocations.
    Active,
}

/// `LastUpdateStatus` [fact:update-status]; absent until the function has been Active once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastUpdate {
    /// An update has not settled yet; another one is refused with 409.
    InProgress,
    /// The last create or update is complete.
    Successful,
}

/// The package that a configuration runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRef {
    /// SHA-256 of the zip: `CodeSha256`, and the name of the package's folder.
    pub sha256: Sha256,
    /// Size of the zip in bytes: `CodeSize`.
    pub zipped_bytes: u64,
}

/// `LogFormat` of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Plain lines.
    Text,
    /// One JSON object per record.
    Json,
}

/// `LoggingConfig` of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// Form of the lines that the platform writes.
    pub format: LogFormat,
    /// Name of the log group, e.g. `/aws/lambda/f`.
    pub group: String,
    /// `ApplicationLogLevel`; only with JSON.
    pub application_level: Option<String>,
    /// `SystemLogLevel`; only with JSON.
    pub system_level: Option<String>,
}

/// `VpcConfig`: stored and returned, but without effect, because one machine has no VPC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vpc {
    /// `SubnetIds`.
    pub subnet_ids: Vec<String>,
    /// `SecurityGroupIds`.
    pub security_group_ids: Vec<String>,
    /// `Ipv6AllowedForDualStack`.
    pub ipv6_allowed: bool,
}

/// Code and settings of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Runtime identifier, e.g. `python3.11`.
    pub runtime: String,
    /// Handler, e.g. `app.handler`.
    pub handler: String,
    /// ARN of the role; stored and returned, without effect.
    pub role: String,
    /// Description of the function, any text.
    pub description: String,
    /// `Timeout` of an invocation, 1 to 900 s.
    pub timeout_s: u32,
    /// Memory limit, 128 to 10,240 MiB.
    pub memory_mib: u32,
    /// Size of `/tmp`, 512 to 10,240 MiB.
    pub ephemeral_mib: u32,
    /// `None` if the caller never gave any: the API then omits the member.
    pub variables: Option<Variables>,
    /// The package.
    pub code: CodeRef,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// `PassThrough` or `Active`; without effect.
    pub tracing_mode: String,
    /// Logging settings.
    pub logging: Logging,
    /// `None` until the caller gives one.
    pub vpc: Option<Vpc>,
    /// ARN of the dead-letter target; without effect.
    pub dead_letter_arn: Option<String>,
    /// ARN of the KMS key; without effect.
    pub kms_key_arn: Option<String>,
    /// `None` or `PublishedVersions`; without effect.
    pub snap_start: String,
    /// When code or configuration last changed, milliseconds since 1970.
    pub last_modified_ms: i64,
}

/// What runs: one state of a function's code and configuration. An environment serves one version only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The function to which it belongs.
    pub function: Arc<FunctionId>,
    /// [`LATEST`] or the number of a published version.
    pub qualifier: String,
    /// Code and settings.
    pub configuration: Configuration,
    /// Id of this state of code and configuration; no other version has it.
    pub generation: Uuid,
}

impl Version {
    /// A new state of a function's unpublished version.
    pub fn latest(function: &Arc<FunctionId>, configuration: Configuration) -> Self {
        let qualifier = LATEST.to_owned();
        Self { function: Arc::clone(function), qualifier, configuration, generation: Uuid::new_v4() }
    }
}

/// A function: its versions and what belongs to the function as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Account, region and name.
    pub id: Arc<FunctionId>,
    /// `$LATEST`.
    pub latest: Arc<Version>,
    /// State of `$LATEST`.
    pub state: FunctionState,
    /// `None` until the function has been Active once.
    pub last_update: Option<LastUpdate>,
    /// Changes with code, configuration and state [fact:revision-ids], but not with tags or concurrency.
    pub revision_id: Uuid,
    /// Tags, at most 50.
    pub tags: BTreeMap<String, String>,
    /// Reserved concurrency, if set.
    pub reserved_concurrency: Option<u32>,
    /// Published versions by their numbers.
    pub versions: BTreeMap<u64, Arc<PublishedVersion>>,
    /// The last number that was given to a version; no number is given twice.
    pub last_number: u64,
    /// Its aliases.
    pub aliases: Aliases,
    /// Permissions in the order in which they were added, by qualifier: `$LATEST` is the function as a whole.
    pub policies: BTreeMap<String, Arc<Vec<Statement>>>,
    /// All other settings that belong to it, to a version or to an alias.
    pub attached: Attached,
}

impl Function {
    /// Whether it still has to settle: after a create or an update, also if the server ended before that.
    pub fn needs_activation(&self) -> bool {
        self.state == FunctionState::Pending || self.last_update == Some(LastUpdate::InProgress)
    }

    /// The function after it has settled: Active and Successful, under a new revision.
    pub fn activated(&self) -> Self {
        Self {
            state: FunctionState::Active,
            last_update: Some(LastUpdate::Successful),
            revision_id: Uuid::new_v4(),
            ..self.clone()
        }
    }

    /// The function with changed code or configuration: InProgress, new revision, new generation.
    pub fn updated(&self, mut configuration: Configuration, now_ms: i64) -> Self {
        configuration.last_modified_ms = now_ms;
        Self {
            latest: Arc::new(Version::latest(&self.id, configuration)),
            last_update: Some(LastUpdate::InProgress),
            revision_id: Uuid::new_v4(),
            ..self.clone()
        }
    }
}
