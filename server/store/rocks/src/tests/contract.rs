//! Tests this store against the contract.

#[macro_use]
#[path = "../../../suite/suite.rs"]
mod suite;

use std::sync::Arc;

use lambd_store::Store;
use tempfile::TempDir;

use super::open_store;

fn open() -> (Arc<dyn Store>, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (Arc::new(open_store(dir.path()).unwrap()), dir)
}

contract!(open);
