//! Tests the store in memory against the contract.

#[cfg(test)]
#[macro_use]
#[path = "../suite/suite.rs"]
mod suite;

use std::sync::Arc;

use lambd_store::{MemStore, Store};

fn open() -> (Arc<dyn Store>, ()) {
    (Arc::new(MemStore::new()), ())
}

contract!(open);
