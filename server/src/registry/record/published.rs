//! The records of published versions, aliases, policies and attached settings: a row each, beside the function's.

use std::collections::BTreeMap;
use std::sync::Arc;

use lambd_model::{Alias, Attached, Function, FunctionId, Principal, PublishedVersion, Statement, Version};
use lambd_store::record::{RecordError, RecordKind};
use lambd_store::{Batch, Row, Table};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::attached::{self, Setting};
use super::configuration::ConfigurationRecord;
use super::migrate;

const VERSION: RecordKind = RecordKind::new(&[migrate::published_from_version_1]);
const ALIAS: RecordKind = RecordKind::new(&[]);
const POLICY: RecordKind = RecordKind::new(&[]);

/// A published version as it is stored; function and number stand in the key alone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PublishedRecord {
    generation: Uuid,
    configuration: ConfigurationRecord,
    revision_id: Uuid,
}

/// An alias as it is stored; function and name stand in the key alone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AliasRecord {
    version: String,
    second: Option<(u64, f64)>,
    description: String,
    revision_id: Uuid,
}

/// A permission as it is stored; function and qualifier stand in the key of all of them alone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatementRecord {
    sid: String,
    action: String,
    principal: PrincipalRecord,
    conditions: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Debug, Serialize, Deserialize)]
enum PrincipalRecord {
    Anyone,
    Service(String),
    Aws(String),
}

/// What belongs to a function and has a row of its own.
#[derive(Debug)]
pub(super) enum Part {
    Version(u64, Box<PublishedRecord>),
    Alias(String, Alias),
    Policy(String, Vec<Statement>),
    Attached(Setting),
}

/// `account/region/version/function/number`; numbers have leading zeros, so that keys are in their order.
fn version_key(id: &FunctionId, number: u64) -> Vec<u8> {
    format!("{}/{}/version/{}/{number:020}", id.account, id.region, id.name).into_bytes()
}

/// `account/region/alias/function/name`.
fn alias_key(id: &FunctionId, name: &str) -> Vec<u8> {
    format!("{}/{}/alias/{}/{name}", id.account, id.region, id.name).into_bytes()
}

/// `account/region/policy/function/qualifier`.
fn policy_key(id: &FunctionId, qualifier: &str) -> Vec<u8> {
    format!("{}/{}/policy/{}/{qualifier}", id.account, id.region, id.name).into_bytes()
}

/// Reads a row of these kinds; `None` where the key is of none.
pub(super) fn decode(row: &Row) -> Result<Option<(FunctionId, Part)>, RecordError> {
    let parts: Vec<_> = str::from_utf8(&row.key).unwrap_or_default().split('/').collect();
    let [account, region, kind, name, last] = parts[..] else { return Ok(None) };
    let id = FunctionId { account: account.into(), region: region.into(), name: name.to_owned() };
    let part = match (kind, last.parse::<u64>()) {
        ("version", Ok(number)) => {
            Part::Version(number, Box::new(VERSION.decode(Table::Functions, &row.key, &row.value)?))
        }
        ("policy", _) => Part::Policy(last.to_owned(), decode_policy(row)?),
        ("alias", _) => Part::Alias(last.to_owned(), decode_alias(row)?),
        (kind, _) => match Setting::of(kind, last, row) {
            Some(setting) => Part::Attached(setting),
            None => return Ok(None),
        },
    };
    Ok(Some((id, part)))
}

impl PublishedRecord {
    /// The version of this number. All versions of a function share its id, and equal settings.
    pub(super) fn into_version(self, latest: &Version, number: u64) -> PublishedVersion {
        let Self { generation, configuration, revision_id } = self;
        let configuration = configuration.into_configuration();
        let version = Version {
            function: Arc::clone(&latest.function),
            qualifier: number.to_string(),
            configuration: match configuration == *latest.configuration {
                true => Arc::clone(&latest.configuration),
                false => Arc::new(configuration),
            },
            generation,
        };
        PublishedVersion { version: Arc::new(version), revision_id }
    }
}

fn decode_alias(row: &Row) -> Result<Alias, RecordError> {
    let AliasRecord { version, second, description, revision_id } =
        ALIAS.decode(Table::Functions, &row.key, &row.value)?;
    Ok(Alias { version, second, description, revision_id })
}

/// Adds the rows in which two states of a function differ; `None` is a function that is not there.
pub(in crate::registry) fn add_changes<'a>(
    batch: &mut Batch,
    id: &FunctionId,
    before: Option<&'a Function>,
    now: Option<&'a Function>,
) -> Result<(), RecordError> {
    let none = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let parts = |function: Option<&'a Function>| {
        function.map_or((&none.0, &none.1, &none.2), |f| (&f.versions, &f.aliases, &f.policies))
    };
    let nothing = Attached::default();
    let settings = |function: Option<&'a Function>| function.map(|function| &function.attached);
    attached::add_changes(
        batch,
        id,
        settings(before).unwrap_or(&nothing),
        settings(now).unwrap_or(&nothing),
    )?;
    let (before, now) = (parts(before), parts(now));
    add_difference(batch, before.0, now.0, |number| version_key(id, *number), encode_version)?;
    add_difference(batch, before.1, now.1, |name| alias_key(id, name), encode_alias)?;
    add_difference(batch, before.2, now.2, |qualifier| policy_key(id, qualifier), |all| encode_policy(all))
}

pub(super) fn add_difference<K: Ord, T: PartialEq>(
    batch: &mut Batch,
    before: &BTreeMap<K, Arc<T>>,
    now: &BTreeMap<K, Arc<T>>,
    key: impl Fn(&K) -> Vec<u8>,
    encode: impl Fn(&T) -> Result<Vec<u8>, RecordError>,
) -> Result<(), RecordError> {
    for gone in before.keys().filter(|name| !now.contains_key(name)) {
        batch.add_delete(Table::Functions, key(gone));
    }
    for (name, part) in now.iter().filter(|(name, part)| before.get(name) != Some(part)) {
        batch.add_put(Table::Functions, key(name), encode(part)?);
    }
    Ok(())
}

fn decode_policy(row: &Row) -> Result<Vec<Statement>, RecordError> {
    let records: Vec<StatementRecord> = POLICY.decode(Table::Functions, &row.key, &row.value)?;
    let statement = |StatementRecord { sid, action, principal, conditions }| {
        let principal = match principal {
            PrincipalRecord::Anyone => Principal::Anyone,
            PrincipalRecord::Service(name) => Principal::Service(name),
            PrincipalRecord::Aws(arn) => Principal::Aws(arn),
        };
        Statement { sid, action, principal, conditions }
    };
    Ok(records.into_iter().map(statement).collect())
}

fn encode_policy(statements: &[Statement]) -> Result<Vec<u8>, RecordError> {
    let record = |Statement { sid, action, principal, conditions }| {
        let principal = match principal {
            Principal::Anyone => PrincipalRecord::Anyone,
            Principal::Service(name) => PrincipalRecord::Service(name),
            Principal::Aws(arn) => PrincipalRecord::Aws(arn),
        };
        StatementRecord { sid, action, principal, conditions }
    };
    POLICY.encode(&statements.iter().cloned().map(record).collect::<Vec<_>>())
}

fn encode_version(published: &PublishedVersion) -> Result<Vec<u8>, RecordError> {
    let PublishedVersion { version, revision_id } = published;
    let Version { function: _, qualifier: _, configuration, generation } = &**version;
    VERSION.encode(&PublishedRecord {
        generation: *generation,
        configuration: ConfigurationRecord::of(configuration),
        revision_id: *revision_id,
    })
}

fn encode_alias(alias: &Alias) -> Result<Vec<u8>, RecordError> {
    let Alias { version, second, description, revision_id } = alias.clone();
    ALIAS.encode(&AliasRecord { version, second, description, revision_id })
}
