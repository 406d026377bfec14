//! The records of settings that are attached to a function, a version or an alias: a row each, beside the
//! function's. A kind of setting is one implementation of [`Kind`] and one line of [`KINDS`].

mod code_signing;
mod event_invoke;
mod function_url;
mod provisioned;
mod recursion;
mod runtime_management;
mod scaling;

use std::sync::Arc;

use lambd_model::{
    Attached, ByQualifier, CodeSigning, EventInvoke, FunctionId, FunctionUrl, ProvisionedConcurrency,
    RecursiveLoop, RuntimeManagement, Scaling,
};
use lambd_store::record::{RecordError, RecordKind};
use lambd_store::{Batch, Row, Table};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::published::add_difference;

/// A kind of setting and its stored form.
trait Kind: Clone + PartialEq + From<Self::Record> {
    /// The part between region and function in the keys of its rows.
    const SEGMENT: &'static str;
    /// The versions of the stored form.
    const RECORDS: RecordKind = RecordKind::new(&[]);
    /// The stored form; function and qualifier stand in the key alone.
    type Record: From<Self> + Serialize + DeserializeOwned;

    /// The settings of this kind.
    fn all(attached: &Attached) -> &ByQualifier<Self>;

    /// The same, to add one.
    fn all_mut(attached: &mut Attached) -> &mut ByQualifier<Self>;
}

/// A [`Kind`] as a value.
#[derive(Debug)]
struct AnyKind {
    segment: &'static str,
    attach: fn(&mut Attached, Setting) -> Result<(), RecordError>,
    add_changes: fn(&mut Batch, &FunctionId, &Attached, &Attached) -> Result<(), RecordError>,
}

/// Every kind.
static KINDS: [AnyKind; 7] = [
    any::<CodeSigning>(),
    any::<EventInvoke>(),
    any::<FunctionUrl>(),
    any::<ProvisionedConcurrency>(),
    any::<RecursiveLoop>(),
    any::<RuntimeManagement>(),
    any::<Scaling>(),
];

const fn any<K: Kind>() -> AnyKind {
    AnyKind { segment: K::SEGMENT, attach: attach::<K>, add_changes: add_kind::<K> }
}

/// A stored setting that has not been read yet.
#[derive(Debug)]
pub(super) struct Setting {
    kind: &'static AnyKind,
    qualifier: String,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl Setting {
    /// The setting in a row of this segment; `None` where the segment is of no kind.
    pub(super) fn of(segment: &str, qualifier: &str, row: &Row) -> Option<Self> {
        let kind = KINDS.iter().find(|kind| kind.segment == segment)?;
        Some(Self { kind, qualifier: qualifier.to_owned(), key: row.key.clone(), value: row.value.clone() })
    }

    /// Reads it, and attaches it to its function.
    pub(super) fn attach(self, attached: &mut Attached) -> Result<(), RecordError> {
        (self.kind.attach)(attached, self)
    }
}

/// Adds the rows in which two states of what is attached differ.
pub(super) fn add_changes(
    batch: &mut Batch,
    id: &FunctionId,
    before: &Attached,
    now: &Attached,
) -> Result<(), RecordError> {
    KINDS.iter().try_for_each(|kind| (kind.add_changes)(batch, id, before, now))
}

/// `account/region/segment/function/qualifier`.
fn key<K: Kind>(id: &FunctionId, qualifier: &str) -> Vec<u8> {
    format!("{}/{}/{}/{}/{qualifier}", id.account, id.region, K::SEGMENT, id.name).into_bytes()
}

fn attach<K: Kind>(attached: &mut Attached, setting: Setting) -> Result<(), RecordError> {
    let record: K::Record = K::RECORDS.decode(Table::Functions, &setting.key, &setting.value)?;
    K::all_mut(attached).insert(setting.qualifier, Arc::new(record.into()));
    Ok(())
}

fn add_kind<K: Kind>(
    batch: &mut Batch,
    id: &FunctionId,
    before: &Attached,
    now: &Attached,
) -> Result<(), RecordError> {
    let encode = |setting: &K| K::RECORDS.encode(&K::Record::from(setting.clone()));
    add_difference(batch, K::all(before), K::all(now), |qualifier| key::<K>(id, qualifier), encode)
}
