//! A function and its versions, as the registry keeps them.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::attached::Attached;
use crate::policy::Statement;
use crate::published::{Aliases, PublishedVersion};
use crate::{Configuration, FunctionId, LATEST};

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

/// What runs: one state of a function's code and configuration. An environment serves one version only.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// The function to which it belongs.
    pub function: Arc<FunctionId>,
    /// [`LATEST`] or the number of a published version.
    pub qualifier: String,
    /// Code and settings; a version that was just published shares those of `$LATEST`.
    pub configuration: Arc<Configuration>,
    /// Id of this state of code and configuration; no other version has it.
    pub generation: Uuid,
}

impl Version {
    /// A new state of a function's unpublished version.
    pub fn latest(function: &Arc<FunctionId>, configuration: Configuration) -> Self {
        let (qualifier, configuration) = (LATEST.to_owned(), Arc::new(configuration));
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
