//! A function's record in the store: key `region/name`, value versioned JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Function, FunctionKey, LoadError};
use crate::store::record::{self, RecordError};
use crate::store::{Range, Store, Table, for_each};

/// Version of the stored form; a reader refuses a newer one.
const VERSION: u32 = 1;

pub(super) fn key(key: &FunctionKey) -> Vec<u8> {
    // Neither part can hold a slash.
    format!("{}/{}", key.region, key.name).into_bytes()
}

pub(super) fn encode(function: &Function) -> Result<Vec<u8>, RecordError> {
    record::encode(VERSION, function)
}

pub(super) fn load_all(store: &dyn Store) -> Result<BTreeMap<Arc<FunctionKey>, Arc<Function>>, LoadError> {
    let mut functions = BTreeMap::new();
    for_each(store, Table::Functions, Range::all(), |key, value| {
        let function: Function = record::decode(VERSION, Table::Functions, key, &value)?;
        functions.insert(Arc::clone(&function.key), Arc::new(function));
        Ok::<(), LoadError>(())
    })?;
    Ok(functions)
}
