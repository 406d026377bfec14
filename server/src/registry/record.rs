//! A function's record in the store: its key, its stored form, and how older forms are read.
//!
//! Stored forms have types of their own. A domain type may change freely; a stored form changes only with a
//! further step of [`FUNCTION`] and a golden file.

mod attached;
mod configuration;
mod migrate;
mod published;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use lambd_model::{Attached, Function, FunctionId, FunctionState, LATEST, LastUpdate, Version};
use lambd_store::record::{RecordError, RecordKind};
use lambd_store::{Range, Row, RowVersion, Store, Table, for_each};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::LoadError;
use configuration::ConfigurationRecord;
use published::Part;
pub(super) use published::add_changes;

/// The stored form of a function; a reader refuses a newer one.
const FUNCTION: RecordKind =
    RecordKind::new(&[migrate::from_version_1, migrate::from_version_2, migrate::from_version_3]);

/// The part between the region and the name in the key of a function.
const SEGMENT: &str = "function";

/// The key `account/region/function/name`. No part can contain a slash.
pub(super) fn key(id: &FunctionId) -> Vec<u8> {
    format!("{}/{}/{SEGMENT}/{}", id.account, id.region, id.name).into_bytes()
}

/// Reads the form that [`key`] writes; other kinds of records have other keys.
fn parse_key(key: &[u8]) -> Option<FunctionId> {
    let mut parts = str::from_utf8(key).ok()?.split('/');
    let (account, region, kind, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (kind == SEGMENT && parts.next().is_none()).then(|| FunctionId {
        account: account.into(),
        region: region.into(),
        name: name.to_owned(),
    })
}

/// The stored form of a function; its identity is only in the key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FunctionRecord {
    latest: VersionRecord,
    state: StateRecord,
    last_update: Option<LastUpdateRecord>,
    revision_id: Uuid,
    tags: BTreeMap<String, String>,
    reserved_concurrency: Option<u32>,
    last_number: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionRecord {
    generation: Uuid,
    configuration: ConfigurationRecord,
}

#[derive(Debug, Serialize, Deserialize)]
enum StateRecord {
    Pending,
    Active,
}

#[derive(Debug, Serialize, Deserialize)]
enum LastUpdateRecord {
    InProgress,
    Successful,
}

impl FunctionRecord {
    /// Names every member, so that a new one cannot be forgotten.
    fn of(function: &Function) -> Self {
        // Versions, aliases, policies and attached settings have rows of their own.
        let Function {
            id: _,
            latest,
            state,
            last_update,
            revision_id,
            tags,
            reserved_concurrency,
            versions: _,
            last_number,
            aliases: _,
            policies: _,
            attached: _,
        } = function;
        let Version { function: _, qualifier: _, configuration, generation } = &**latest;
        Self {
            latest: VersionRecord {
                generation: *generation,
                configuration: ConfigurationRecord::of(configuration),
            },
            state: match state {
                FunctionState::Pending => StateRecord::Pending,
                FunctionState::Active => StateRecord::Active,
            },
            last_update: last_update.map(|update| match update {
                LastUpdate::InProgress => LastUpdateRecord::InProgress,
                LastUpdate::Successful => LastUpdateRecord::Successful,
            }),
            revision_id: *revision_id,
            tags: tags.clone(),
            reserved_concurrency: *reserved_concurrency,
            last_number: *last_number,
        }
    }

    fn into_function(self, id: FunctionId) -> Function {
        let id = Arc::new(id);
        let Self { latest, state, last_update, revision_id, tags, reserved_concurrency, last_number } = self;
        let VersionRecord { generation, configuration } = latest;
        let latest = Version {
            function: Arc::clone(&id),
            qualifier: LATEST.to_owned(),
            configuration: Arc::new(configuration.into_configuration()),
            generation,
        };
        Function {
            id,
            latest: Arc::new(latest),
            state: match state {
                StateRecord::Pending => FunctionState::Pending,
                StateRecord::Active => FunctionState::Active,
            },
            last_update: last_update.map(|update| match update {
                LastUpdateRecord::InProgress => LastUpdate::InProgress,
                LastUpdateRecord::Successful => LastUpdate::Successful,
            }),
            revision_id,
            tags,
            reserved_concurrency,
            versions: BTreeMap::new(),
            last_number,
            aliases: BTreeMap::new(),
            policies: BTreeMap::new(),
            attached: Attached::default(),
        }
    }
}

pub(super) fn encode(function: &Function) -> Result<Vec<u8>, RecordError> {
    FUNCTION.encode(&FunctionRecord::of(function))
}

/// Functions with the version of each one's row.
pub(super) type Functions = BTreeMap<Arc<FunctionId>, (Arc<Function>, RowVersion)>;

/// Reads every function of the store. Records of an older form, which had only one account, are assigned to
/// `account` and rewritten after all records have been read: if one cannot be read, nothing is changed.
pub(super) async fn load(store: &dyn Store, account: &str) -> Result<Functions, LoadError> {
    let (mut functions, mut parts, mut old) = (BTreeMap::new(), Vec::new(), Vec::new());
    for_each(store, Table::Functions, Range::all(), |row| {
        if let Some(id) = parse_key(&row.key) {
            let function = decode(id, &row)?;
            functions.insert(Arc::clone(&function.id), (function, row.version));
        } else if let Some((id, part)) = published::decode(&row)? {
            // Versions and most others come after their function: kept apart, all of them would be there twice.
            match functions.get_mut(&id) {
                Some((function, _)) => attach(function, part)?,
                None => parts.push((id, part, row.key)),
            }
        } else {
            let id = migrate::id_of(&row.key, account)?;
            old.push((Arc::new(decode(id, &row)?), row));
        }
        Ok::<(), LoadError>(())
    })
    .await?;
    for (id, part, key) in parts {
        let (function, _) = functions.get_mut(&id).ok_or_else(|| LoadError::orphan(&key))?;
        attach(function, part)?;
    }
    let functions =
        functions.into_iter().map(|(id, (function, version))| (id, (Arc::new(function), version)));
    let mut functions: Functions = functions.collect();
    functions.extend(migrate::rewrite(store, old).await?);
    Ok(functions)
}

/// Gives a function what has a row of its own.
fn attach(function: &mut Function, part: Part) -> Result<(), RecordError> {
    match part {
        Part::Version(number, version) => {
            let version = version.into_version(&function.latest, number);
            function.versions.insert(number, Arc::new(version));
        }
        Part::Policy(qualifier, statements) => {
            function.policies.insert(qualifier, Arc::new(statements));
        }
        Part::Attached(setting) => setting.attach(&mut function.attached)?,
        Part::Alias(name, alias) => {
            function.aliases.insert(name, Arc::new(alias));
        }
    }
    Ok(())
}

fn decode(id: FunctionId, row: &Row) -> Result<Function, RecordError> {
    let record: FunctionRecord = FUNCTION.decode(Table::Functions, &row.key, &row.value)?;
    Ok(record.into_function(id))
}
