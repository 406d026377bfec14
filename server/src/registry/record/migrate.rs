//! Changes older stored forms to the present one.
//!
//! Version 1 had the key `region/name` without an account, because a server had only one.

use std::sync::Arc;

use lambd_model::{Function, FunctionId};
use lambd_store::record::RecordError;
use lambd_store::{Batch, Durability, Row, Store, Table};
use serde_json::{Value, json};

use super::{Functions, LoadError, encode, key};

/// Rows that are rewritten in one batch. Each batch is atomic, and a rewritten row is not old any more, so
/// that the next start continues a rewrite that was interrupted.
const BATCH_ROWS: usize = 256;

/// The function with a key of version 1.
pub(super) fn id_of(key: &[u8], account: &str) -> Result<FunctionId, RecordError> {
    let unknown = || RecordError::unknown_key(Table::Functions, key);
    let (region, name) = str::from_utf8(key).ok().and_then(|key| key.split_once('/')).ok_or_else(unknown)?;
    if region.is_empty() || name.is_empty() || name.contains('/') {
        return Err(unknown());
    }
    Ok(FunctionId { account: account.into(), region: region.into(), name: name.to_owned() })
}

/// Removes the function's name from the record and the generation from the configuration. A value that is no
/// such record is not changed, and cannot be read.
pub(super) fn from_version_1(mut record: Value) -> Value {
    if let Some(function) = record.as_object_mut()
        && let Some(mut configuration) = function.remove("latest")
    {
        function.remove("key");
        let generation = configuration.as_object_mut().and_then(|members| members.remove("generation"));
        let latest = json!({ "generation": generation, "configuration": configuration });
        function.insert("latest".to_owned(), latest);
    }
    record
}

/// No version had been published.
pub(super) fn from_version_2(mut record: Value) -> Value {
    if let Some(function) = record.as_object_mut() {
        function.insert("last_number".to_owned(), json!(0));
    }
    record
}

/// A configuration had no layers, file systems, images, durable executions, tenants or capacity providers.
pub(super) fn from_version_3(mut record: Value) -> Value {
    if let Some(latest) = record.get_mut("latest") {
        *latest = published_from_version_1(latest.take());
    }
    record
}

/// The same of a published version.
pub(super) fn published_from_version_1(mut record: Value) -> Value {
    if let Some(configuration) = record.get_mut("configuration").and_then(Value::as_object_mut) {
        for list in ["layers", "file_systems"] {
            configuration.insert(list.to_owned(), json!([]));
        }
        for absent in ["image", "durable", "tenant_isolation", "capacity_provider"] {
            configuration.insert(absent.to_owned(), Value::Null);
        }
    }
    record
}

/// Replaces the rows of functions whose form is old.
pub(super) async fn rewrite(
    store: &dyn Store,
    old: Vec<(Arc<Function>, Row)>,
) -> Result<Functions, LoadError> {
    if !old.is_empty() {
        tracing::info!(functions = old.len(), "rewriting the functions of an older lambd");
    }
    let mut functions = Functions::new();
    for rows in old.chunks(BATCH_ROWS) {
        let mut batch = Batch::new();
        for (function, row) in rows {
            batch.add_put(Table::Functions, key(&function.id), encode(function)?);
            batch.add_delete(Table::Functions, row.key.clone());
        }
        let version = store.commit(batch, Durability::Synced).await?;
        let written =
            rows.iter().map(|(function, _)| (Arc::clone(&function.id), (Arc::clone(function), version)));
        functions.extend(written);
    }
    Ok(functions)
}
