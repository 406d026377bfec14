//! One kind of resource: snapshots in memory, rows in the store.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use lambd_model::{Place, ResourceId};
use lambd_store::record::RecordError;
use lambd_store::{Batch, CommitError, Durability, Row, RowVersion, Store, Table};
use tokio::runtime::Handle;

/// A kind of resource with a row for each one.
pub trait Resource: fmt::Debug + Send + Sync + Sized + 'static {
    /// The part of the key that names the kind. It never changes, because it is part of the stored format.
    const SEGMENT: &'static str;

    /// The stored form.
    ///
    /// # Errors
    /// A value without one.
    fn encode(&self) -> Result<Vec<u8>, RecordError>;

    /// Reads what [`Self::encode`] of this lambd or an older one wrote.
    ///
    /// # Errors
    /// [`RecordError`] with the key of the row.
    fn decode(row: &Row) -> Result<Self, RecordError>;
}

/// Why a change is not on disk.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The store failed: the change was not acknowledged.
    #[error("cannot store the change")]
    Store(#[from] CommitError),
    /// The record cannot be encoded.
    #[error("cannot encode the change")]
    Record(#[from] RecordError),
    /// The worker ended; whether the change is on disk is not known before the next start.
    #[error("the change was interrupted")]
    Interrupted,
}

type Resources<R> = BTreeMap<ResourceId, (Arc<R>, RowVersion)>;

/// All resources of one kind, of all accounts. Cheap to clone: clones share the content.
pub struct Collection<R>(Arc<Inner<R>>);

struct Inner<R> {
    store: Arc<dyn Store>,
    resources: RwLock<Resources<R>>,
    /// Serialises changes. Held during the wait for the disk, so only the blocking pool may take it.
    writer: Mutex<()>,
}

impl<R> Clone for Collection<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R: Resource> fmt::Debug for Collection<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collection").field(R::SEGMENT, &self.0.read().len()).finish_non_exhaustive()
    }
}

impl<R: Resource> Collection<R> {
    /// A collection of the resources of these rows.
    pub(super) fn load(store: Arc<dyn Store>, rows: Vec<Row>) -> Result<Self, RecordError> {
        let mut resources = Resources::new();
        for row in rows {
            let id = parse_key(&row.key).ok_or_else(|| RecordError::unknown_key(Table::Account, &row.key))?;
            resources.insert(id, (Arc::new(R::decode(&row)?), row.version));
        }
        Ok(Self(Arc::new(Inner { store, resources: RwLock::new(resources), writer: Mutex::new(()) })))
    }

    /// The present snapshot of one resource.
    pub fn get(&self, id: &ResourceId) -> Option<Arc<R>> {
        self.0.read().get(id).map(|(resource, _)| Arc::clone(resource))
    }

    /// Up to `limit` resources of an account in a region, ordered by name, after the name `after`.
    pub fn list(&self, place: &Place, after: Option<&str>, limit: usize) -> Vec<(String, Arc<R>)> {
        let first = place.resource(after.unwrap_or_default());
        self.0
            .read()
            .range((Bound::Excluded(&first), Bound::Unbounded))
            .take_while(|(id, _)| id.is_in(place))
            .take(limit)
            .map(|(id, (resource, _))| (id.name.clone(), Arc::clone(resource)))
            .collect()
    }

    /// Every resource of every account.
    pub fn all(&self) -> Vec<(ResourceId, Arc<R>)> {
        self.0.read().iter().map(|(id, (resource, _))| (id.clone(), Arc::clone(resource))).collect()
    }

    /// Replaces a resource by the result of `change`, which gets the present one, if there is one, and may refuse;
    /// then nothing is changed. A result of `None` removes the resource. No resource of this kind changes while
    /// `change` runs.
    ///
    /// # Errors
    /// What `change` returned, or [`WriteError`] converted.
    pub async fn change<E, F>(&self, id: ResourceId, change: F) -> Result<Option<Arc<R>>, E>
    where
        E: From<WriteError> + Send + 'static,
        F: FnOnce(Option<&R>) -> Result<Option<R>, E> + Send + 'static,
    {
        let inner = Arc::clone(&self.0);
        let work = move || {
            let _writer = inner.writer.lock().unwrap_or_else(PoisonError::into_inner);
            let before = inner.read().get(&id).cloned();
            let now = change(before.as_ref().map(|(resource, _)| &**resource))?;
            Ok(inner.commit(id, before.map(|(_, version)| version), now)?)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| WriteError::Interrupted)?
    }
}

impl<R: Resource> Inner<R> {
    /// Writes over the version that was seen, or where none was seen.
    fn commit(
        &self,
        id: ResourceId,
        before: Option<RowVersion>,
        now: Option<R>,
    ) -> Result<Option<Arc<R>>, WriteError> {
        let key = key(R::SEGMENT, &id);
        let batch = match before {
            Some(version) => Batch::new().expect_version(Table::Account, key.clone(), version),
            None => Batch::new().expect_absent(Table::Account, key.clone()),
        };
        let batch = match &now {
            Some(resource) => batch.put(Table::Account, key, resource.encode()?),
            None if before.is_some() => batch.delete(Table::Account, key),
            None => return Ok(None),
        };
        let version = Handle::current().block_on(self.store.commit(batch, Durability::Synced))?;
        let now = now.map(Arc::new);
        let mut resources = self.resources.write().unwrap_or_else(PoisonError::into_inner);
        match &now {
            Some(resource) => resources.insert(id, (Arc::clone(resource), version)),
            None => resources.remove(&id),
        };
        Ok(now)
    }

    fn read(&self) -> RwLockReadGuard<'_, Resources<R>> {
        self.resources.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key `account/region/kind/name`. No part can contain a slash.
fn key(kind: &str, id: &ResourceId) -> Vec<u8> {
    format!("{}/{}/{kind}/{}", id.account, id.region, id.name).into_bytes()
}

fn parse_key(key: &[u8]) -> Option<ResourceId> {
    let parts: Vec<_> = str::from_utf8(key).ok()?.split('/').collect();
    let [account, region, _, name] = parts[..] else { return None };
    Some(ResourceId { account: account.into(), region: region.into(), name: name.to_owned() })
}
