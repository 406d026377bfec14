//! From older stored forms to the present one.
//!
//! Version 1 had the key `region/name` and no account: a server had one, and what it stored is that account's.

use serde_json::{Value, json};

use super::{FunctionId, VERSION};
use crate::store::record::{self, RecordError};
use crate::store::{Batch, CommitError, Durability, Store, Table};

/// Rows that are rewritten in one batch. Each batch is whole, and a row that was rewritten is not old any more: what
/// was cut off goes on at the next start.
const BATCH_ROWS: usize = 256;

/// The row of version 1 as a row of the present version.
pub(super) fn upgrade(key: &[u8], value: &[u8], account: &str) -> Result<(FunctionId, Vec<u8>), RecordError> {
    let unknown = || RecordError::unknown_key(Table::Functions, key);
    let (region, name) = str::from_utf8(key).ok().and_then(|key| key.split_once('/')).ok_or_else(unknown)?;
    if region.is_empty() || name.is_empty() || name.contains('/') {
        return Err(unknown());
    }
    let record: Value = record::decode(1, Table::Functions, key, value)?;
    let record = from_version_1(record).ok_or_else(|| RecordError::shape(Table::Functions, key))?;
    let id = FunctionId { account: account.to_owned(), region: region.to_owned(), name: name.to_owned() };
    Ok((id, record::encode(VERSION, &record)?))
}

/// The function's name left the record, the generation left the configuration. `None`: not such a record.
fn from_version_1(mut record: Value) -> Option<Value> {
    let function = record.as_object_mut()?;
    function.remove("key")?;
    let mut configuration = function.remove("latest")?;
    let generation = configuration.as_object_mut()?.remove("generation")?;
    function.insert("latest".to_owned(), json!({"generation": generation, "configuration": configuration}));
    Some(record)
}

/// Replaces rows: old key, new key, new value.
pub(super) fn rewrite(store: &dyn Store, rows: &[(Vec<u8>, Vec<u8>, Vec<u8>)]) -> Result<(), CommitError> {
    if !rows.is_empty() {
        tracing::info!(functions = rows.len(), "rewriting the functions of an older lambd");
    }
    for rows in rows.chunks(BATCH_ROWS) {
        let batch = rows.iter().fold(Batch::new(), |batch, (old, key, value)| {
            batch.put(Table::Functions, key.clone(), value.clone()).delete(Table::Functions, old.clone())
        });
        store.commit(batch, Durability::Synced)?;
    }
    Ok(())
}
