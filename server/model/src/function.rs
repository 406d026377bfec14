//! A function and its configuration, as the registry keeps it.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::policy::Statement;
use crate::published::{Aliases, PublishedVersion};
use crate::{FunctionId, LATEST, Sha256};

/// Customer variables of a function. `Debug` shows the names only: values are often secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(pub BTreeMap<String, String>);

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// `State` of a function [fact:function-states]; further states belong to features that are not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionState {
    /// Created, not yet prepared: an invocation waits.
    Pending,
    /// Ready.
    Active,
}

/// `LastUpdateStatus` [fact:update-status]; absent while the function has never been Active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastUpdate {
    /// An update is being prepared; another one is refused with 409.
    InProgress,
    /// The last create or update is complete.
    Successful,
}

/// The package that a configuration runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRef {
    /// Hash of the zip: the name of its folder, and `CodeSha256`.
    pub sha256: Sha256,
    /// Size of the zip, the `CodeSize` of the API.
    pub zipped_bytes: u64,
}

/// `LogFormat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Plain lines.
    Text,
    /// One JSON object per record.
    Json,
}

/// `LoggingConfig`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// Text or JSON.
    pub format: LogFormat,
    /// Group that receives the events.
    pub group: String,
    /// Application level, JSON only.
    pub application_level: Option<String>,
    /// System level, JSON only.
    pub system_level: Option<String>,
}

/// `VpcConfig`: accepted and given back; there is no VPC on one machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vpc {
    /// Subnets as given.
    pub subnet_ids: Vec<String>,
    /// Groups as given.
    pub security_group_ids: Vec<String>,
    /// As given.
    pub ipv6_allowed: bool,
}

/// Code and settings of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Runtime identifier, e.g. `python3.11`.
    pub runtime: String,
    /// Handler, e.g. `app.handler`.
    pub handler: String,
    /// Role ARN, kept and given back.
    pub role: String,
    /// Free text.
    pub description: String,
    /// Longest invocation, 1–900 s.
    pub timeout_s: u32,
    /// Memory limit, 128–10,240 MiB.
    pub memory_mib: u32,
    /// Size of `/tmp`, 512–10,240 MiB.
    pub ephemeral_mib: u32,
    /// `None` when never given: the API then leaves the member out.
    pub variables: Option<Variables>,
    /// The package.
    pub code: CodeRef,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// `PassThrough` or `Active`.
    pub tracing_mode: String,
    /// Logging settings.
    pub logging: Logging,
    /// `None` until one is given.
    pub vpc: Option<Vpc>,
    /// Dead-letter target.
    pub dead_letter_arn: Option<String>,
    /// Key ARN, kept and given back.
    pub kms_key_arn: Option<String>,
    /// `None` or `PublishedVersions`.
    pub snap_start: String,
    /// When code or configuration last changed, ms since 1970.
    pub last_modified_ms: i64,
}

/// What runs: one state of a function's code and configuration. An execution environment serves one for life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The function that it is a version of.
    pub function: Arc<FunctionId>,
    /// [`LATEST`] or the number of a published version.
    pub qualifier: String,
    /// Code and settings.
    pub configuration: Configuration,
    /// Changes with every change of code or configuration, and belongs to this version alone.
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
    /// Absent until the function was Active once.
    pub last_update: Option<LastUpdate>,
    /// Moves at every change of code, configuration and state [fact:revision-ids]; not with tags or concurrency.
    pub revision_id: Uuid,
    /// At most 50.
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
}

impl Function {
    /// Whether a preparation is still owed: after a create or an update, also when the server ended meanwhile.
    pub fn needs_activation(&self) -> bool {
        self.state == FunctionState::Pending || self.last_update == Some(LastUpdate::InProgress)
    }

    /// The function after its preparation: Active and Successful, under a new revision.
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
