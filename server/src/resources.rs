//! Resources of an account that belong to no single function, such as code signing configs: each kind is a
//! [`Collection`], with immutable snapshots in memory and a row for each resource in the store.
//!
//! Invariants: those of the registry. A snapshot is swapped only after its row is on disk, a reader never waits
//! for a writer's disk, and a row is written only over the version that was read.

mod capacity_provider;
mod code_signing;
mod collection;
mod event_source_mapping;
mod layer;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use lambd_model::Sha256;
use lambd_store::record::RecordError;
use lambd_store::{Range, Row, Store, StoreError, Table, for_each};

pub use capacity_provider::{CapacityProvider, ProviderScaling, ProviderState, Requirements};
pub use code_signing::CodeSigningConfig;
pub use collection::{Collection, Resource, WriteError};
pub use event_source_mapping::{
    DocumentDb, EventSourceMapping, Kafka, MappingState, Pollers, SchemaRegistry,
};
pub use layer::{Layer, LayerPermission, LayerVersion};

/// Why the resources could not be read at the start.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record cannot be read; the message contains its key.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// All kinds of resources. To add one, add a member here and a line in [`Resources::open`].
#[derive(Debug)]
pub struct Resources {
    /// By their names.
    pub capacity_providers: Collection<CapacityProvider>,
    /// By their ids, `csc-` and 17 digits.
    pub code_signing: Collection<CodeSigningConfig>,
    /// By their UUIDs.
    pub event_source_mappings: Collection<EventSourceMapping>,
    /// By their names.
    pub layers: Collection<Layer>,
}

impl Resources {
    /// Reads every resource from the store.
    ///
    /// # Errors
    /// A row that cannot be read, or is of a kind that this lambd does not know.
    pub async fn open(store: &Arc<dyn Store>) -> Result<Self, ReadError> {
        let mut rows = Rows::read(store.as_ref()).await?;
        let resources = Self {
            capacity_providers: rows.collection(store)?,
            code_signing: rows.collection(store)?,
            event_source_mappings: rows.collection(store)?,
            layers: rows.collection(store)?,
        };
        rows.refuse_unknown()?;
        Ok(resources)
    }
}

impl Resources {
    /// The SHA-256 of the package of every layer's version.
    pub fn live_packages(&self) -> HashSet<Sha256> {
        let layers = self.layers.all();
        let packages =
            layers.iter().flat_map(|(_, layer)| layer.versions.values().map(|version| version.code.sha256));
        packages.collect()
    }

    /// Bytes of all versions of an account's layers.
    pub fn layer_bytes(&self, account: &str) -> u64 {
        let layers = self.layers.all().into_iter().filter(|(id, _)| *id.account == *account);
        layers
            .map(|(_, layer)| layer.versions.values().map(|version| version.code.zipped_bytes).sum::<u64>())
            .sum()
    }
}

/// The rows of the table by the segment of their keys, which names the kind.
struct Rows(BTreeMap<String, Vec<Row>>);

impl Rows {
    async fn read(store: &dyn Store) -> Result<Self, ReadError> {
        let mut rows: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for_each(store, Table::Account, Range::all(), |row| {
            let kind = str::from_utf8(&row.key).ok().and_then(|key| key.split('/').nth(2));
            rows.entry(kind.unwrap_or_default().to_owned()).or_default().push(row);
            Ok::<(), ReadError>(())
        })
        .await?;
        Ok(Self(rows))
    }

    fn collection<R: Resource>(&mut self, store: &Arc<dyn Store>) -> Result<Collection<R>, RecordError> {
        Collection::load(Arc::clone(store), self.0.remove(R::SEGMENT).unwrap_or_default())
    }

    fn refuse_unknown(self) -> Result<(), RecordError> {
        match self.0.values().flatten().next() {
            Some(row) => Err(RecordError::unknown_key(Table::Account, &row.key)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
