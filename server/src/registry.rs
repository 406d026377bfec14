//! The registry: all functions, each as an immutable snapshot in memory and as a record in the store.
//!
//! Invariants: a snapshot is swapped only after its record is on disk, so that acknowledged means durable. A
//! reader takes one `Arc` and never waits for a writer's disk. Changes of one function are serialised by a
//! lock that is used on the blocking pool and never held across an await. A row is written only over the
//! version that was read.

mod record;
mod rules;
#[cfg(test)]
pub(crate) mod testing;

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use lambd_model::{Function, FunctionId, FunctionState, Place, ProvisionedConcurrency, Sha256, Version};
use lambd_store::record::RecordError;
use lambd_store::{Batch, CommitError, Durability, RowVersion, Store, StoreError, Table};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use record::Functions;

pub use rules::Usage;
pub(crate) use rules::merge_tags;

/// Number of locks of functions; two functions rarely share one.
const STRIPES: usize = 64;

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A function with that name exists.
    #[error("function exists")]
    Exists,
    /// There is no such function.
    #[error("no such function")]
    Missing,
    /// The caller's `RevisionId` is not the present one.
    #[error("revision does not match")]
    Revision,
    /// The last update has not settled yet.
    #[error("an update is in progress")]
    InProgress,
    /// The change is not possible; the text is for the caller.
    #[error("{0}")]
    Invalid(String),
    /// The qualifier names neither a version nor an alias.
    #[error("no qualifier {0}")]
    QualifierMissing(String),
    /// An alias of that name exists.
    #[error("alias {0} exists")]
    AliasExists(String),
    /// No such alias.
    #[error("no alias {0}")]
    AliasMissing(String),
    /// No version of that number.
    #[error("no version {0}")]
    VersionMissing(String),
    /// Aliases name the version that was to be deleted.
    #[error("aliases name the version: {}", .0.join(", "))]
    VersionInUse(Vec<String>),
    /// The policy of that `RevisionId` is not the current one.
    #[error("revision of the policy does not match")]
    PolicyRevision,
    /// A statement of that name exists.
    #[error("statement {0} exists")]
    StatementExists(String),
    /// No statement of that name.
    #[error("no statement {0}")]
    StatementMissing(String),
    /// There is no policy.
    #[error("no policy")]
    NoPolicy,
    /// The policy would be longer than AWS allows.
    #[error("the policy has {0} bytes")]
    PolicyLength(usize),
    /// The caller's hash is not that of the present code.
    #[error("the code has another hash")]
    CodeHash {
        /// In base64, as `CodeSha256`.
        given: String,
        /// The present code's.
        current: String,
    },
    /// More than 50 tags.
    #[error("too many tags")]
    TooManyTags,
    /// The account would have fewer than 100 unreserved executions.
    #[error("too little unreserved concurrency")]
    Unreserved,
    /// The reservation would be smaller than the function's provisioned concurrency.
    #[error("{reserved} is less than the provisioned {provisioned}")]
    BelowProvisioned {
        /// What was to be reserved.
        reserved: u32,
        /// Provisioned executions of all qualifiers.
        provisioned: u32,
    },
    /// Provisioned concurrency would be larger than the function's reservation.
    #[error("more than is reserved")]
    AboveReserved,
    /// Provisioned concurrency would be larger than what the account has left.
    #[error("more than the {0} that are unreserved")]
    AboveUnreserved(u32),
    /// With this provisioned concurrency the account would have fewer than 100 unreserved executions.
    #[error("too little unreserved concurrency for what is to be provisioned")]
    ProvisionedUnreserved,
    /// The alias names a version that has provisioned concurrency of its own.
    #[error("the version of the alias is provisioned")]
    VersionProvisioned,
    /// The alias names `$LATEST`, which cannot be provisioned.
    #[error("unpublished versions cannot be provisioned")]
    Unpublished,
    /// An alias with provisioned concurrency names the version.
    #[error("an alias of the version is provisioned")]
    AliasProvisioned,
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

/// Why the registry could not be read at the start.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record cannot be read; the message contains its key.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A version or an alias without its function.
    #[error("record {key:?} belongs to a function that is not there: restore a backup of the data directory")]
    Orphan {
        /// The key of the record.
        key: String,
    },
    /// Records of an older lambd could not be rewritten.
    #[error("cannot rewrite the functions of an older lambd")]
    Rewrite(#[from] CommitError),
}

impl LoadError {
    fn orphan(key: &[u8]) -> Self {
        Self::Orphan { key: String::from_utf8_lossy(key).into_owned() }
    }
}

/// A function before and after a change.
#[derive(Debug, Clone)]
pub struct Changed {
    /// The snapshot that was replaced.
    pub before: Arc<Function>,
    /// The present snapshot.
    pub now: Arc<Function>,
}

/// All functions; shared as an `Arc`.
pub struct Registry {
    store: Arc<dyn Store>,
    functions: RwLock<Functions>,
    stripes: Vec<Mutex<()>>,
    /// Serialises changes that depend on all functions: reserved and provisioned concurrency.
    account: Mutex<()>,
    hasher: RandomState,
    concurrency_limit: u32,
    changed: Notify,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("functions", &self.read().len()).finish_non_exhaustive()
    }
}

impl Registry {
    /// Reads every function from the store. Fails if a record cannot be read; the error contains its key.
    /// Records of an older lambd, which had only one account, are assigned to `account`. `concurrency_limit`
    /// is that of each account.
    pub async fn open(
        store: Arc<dyn Store>,
        account: &str,
        concurrency_limit: u32,
    ) -> Result<Self, LoadError> {
        let functions = record::load(store.as_ref(), account).await?;
        Ok(Self {
            store,
            functions: RwLock::new(functions),
            stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(),
            account: Mutex::new(()),
            hasher: RandomState::new(),
            concurrency_limit,
            changed: Notify::new(),
        })
    }

    /// The present snapshot of one function.
    pub fn get(&self, id: &FunctionId) -> Option<Arc<Function>> {
        self.read().get(id).map(|(function, _)| Arc::clone(function))
    }

    /// What a qualifier of a function means now; aliases are no versions.
    pub fn version(&self, id: &FunctionId, qualifier: &str) -> Option<Arc<Version>> {
        self.get(id)?.version(qualifier).cloned()
    }

    /// Whether the function still runs this state of the version: it was neither updated nor deleted since.
    pub fn is_current(&self, version: &Version) -> bool {
        let present = self.version(&version.function, &version.qualifier);
        present.is_some_and(|present| present.generation == version.generation)
    }

    /// Up to `limit` functions of an account in a region, ordered by name, after the name `after`.
    pub fn list(&self, place: &Place, after: Option<&str>, limit: usize) -> Vec<Arc<Function>> {
        let first = place.function(after.unwrap_or_default());
        self.read()
            .range::<FunctionId, _>((Bound::Excluded(&first), Bound::Unbounded))
            .take_while(|(id, _)| id.is_in(place))
            .take(limit)
            .map(|(_, (function, _))| Arc::clone(function))
            .collect()
    }

    /// Every function of every account.
    pub fn all(&self) -> Vec<Arc<Function>> {
        self.read().values().map(|(function, _)| Arc::clone(function)).collect()
    }

    /// Adds a function; fails if one with its name exists.
    pub async fn create(self: &Arc<Self>, function: Function) -> Result<Arc<Function>, RegistryError> {
        self.blocking(move |registry| {
            let _writer = registry.stripe(&function.id);
            if registry.get(&function.id).is_some() {
                return Err(RegistryError::Exists);
            }
            registry.commit(None, function)
        })
        .await
    }

    /// Replaces a function by the result of `change`, which may refuse; then nothing is changed.
    pub async fn update<F>(self: &Arc<Self>, id: Arc<FunctionId>, change: F) -> Result<Changed, RegistryError>
    where
        F: FnOnce(&Function) -> Result<Function, RegistryError> + Send + 'static,
    {
        self.blocking(move |registry| {
            let _writer = registry.stripe(&id);
            let (before, version) = registry.stored(&id)?;
            let now = registry.commit(Some((&before, version)), change(&before)?)?;
            Ok(Changed { before, now })
        })
        .await
    }

    /// Sets or clears reserved concurrency; the account must keep some unreserved [fact:unreserved-minimum].
    pub async fn reserve(
        self: &Arc<Self>,
        id: Arc<FunctionId>,
        reserved: Option<u32>,
    ) -> Result<Arc<Function>, RegistryError> {
        self.blocking(move |registry| {
            let _account = lock(&registry.account);
            let _writer = registry.stripe(&id);
            let (before, version) = registry.stored(&id)?;
            if let Some(wanted) = reserved {
                let others = registry.claimed_by_others(&id);
                rules::check_reservation(registry.concurrency_limit, others, wanted, &before)?;
            }
            let function = Function { reserved_concurrency: reserved, ..(*before).clone() };
            registry.commit(Some((&before, version)), function)
        })
        .await
    }

    /// Puts or removes the provisioned concurrency of a version or an alias; it needs room in the function's
    /// reservation or in the account.
    pub async fn provision(
        self: &Arc<Self>,
        id: Arc<FunctionId>,
        qualifier: String,
        provisioned: Option<ProvisionedConcurrency>,
    ) -> Result<Arc<Function>, RegistryError> {
        self.blocking(move |registry| {
            let _account = lock(&registry.account);
            let _writer = registry.stripe(&id);
            let (before, version) = registry.stored(&id)?;
            if let Some(wanted) = provisioned {
                let others = registry.claimed_by_others(&id);
                rules::check_provisioned(
                    registry.concurrency_limit,
                    others,
                    &before,
                    &qualifier,
                    wanted.executions,
                )?;
            }
            let function = before.with_attached(|attached| match provisioned {
                Some(wanted) => attached.provisioned.insert(qualifier, Arc::new(wanted)),
                None => attached.provisioned.remove(&qualifier),
            });
            registry.commit(Some((&before, version)), function)
        })
        .await
    }

    fn claimed_by_others(&self, id: &FunctionId) -> u32 {
        rules::claimed_by_others(self.read().values().map(|(function, _)| function), id)
    }

    /// Removes a function with all that belongs to it; its package is collected later.
    pub async fn delete(self: &Arc<Self>, id: Arc<FunctionId>) -> Result<Arc<Function>, RegistryError> {
        self.blocking(move |registry| {
            let _writer = registry.stripe(&id);
            let (before, version) = registry.stored(&id)?;
            let key = record::key(&id);
            let batch = Batch::new().expect_version(Table::Functions, key.clone(), version);
            let mut batch = batch.delete(Table::Functions, key);
            record::add_changes(&mut batch, &id, Some(&before), None)?;
            registry.write_synced(batch)?;
            registry.write().remove(&id);
            registry.changed.notify_waiters();
            Ok(before)
        })
        .await
    }

    /// Waits until the function is not Pending; returns `None` if it is deleted.
    pub async fn wait_active(&self, id: &FunctionId) -> Option<Arc<Function>> {
        loop {
            // Registered before reading, so that no change in between is missed.
            let changed = self.changed.notified();
            let function = self.get(id)?;
            if function.state == FunctionState::Active {
                return Some(function);
            }
            changed.await;
        }
    }

    /// Usage of an account in all regions.
    pub fn usage(&self, account: &str) -> Usage {
        rules::usage(
            self.read().values().map(|(function, _)| function).filter(|f| *f.id.account == *account),
            self.concurrency_limit,
        )
    }

    /// The SHA-256 of every package in use, which must not be collected.
    pub fn live_packages(&self) -> HashSet<Sha256> {
        let functions = self.read();
        let versions = functions.values().flat_map(|(function, _)| function.all_versions());
        versions.flat_map(|version| version.configuration.packages()).collect()
    }

    /// The present snapshot with the version of its row.
    fn stored(&self, id: &FunctionId) -> Result<(Arc<Function>, RowVersion), RegistryError> {
        self.read().get(id).cloned().ok_or(RegistryError::Missing)
    }

    /// Writes a function over the row that was seen, or where none was seen. Its row is written at every change,
    /// also of a version or an alias: so changes of one function have one order.
    fn commit(
        &self,
        before: Option<(&Function, RowVersion)>,
        function: Function,
    ) -> Result<Arc<Function>, RegistryError> {
        let (key, value) = (record::key(&function.id), record::encode(&function)?);
        let batch = match before {
            Some((_, version)) => Batch::new().expect_version(Table::Functions, key.clone(), version),
            None => Batch::new().expect_absent(Table::Functions, key.clone()),
        };
        let mut batch = batch.put(Table::Functions, key, value);
        record::add_changes(&mut batch, &function.id, before.map(|(function, _)| function), Some(&function))?;
        let version = self.write_synced(batch)?;
        let function = Arc::new(function);
        self.write().insert(Arc::clone(&function.id), (Arc::clone(&function), version));
        self.changed.notify_waiters();
        Ok(function)
    }

    /// Waits for the disk, so only the blocking pool may call it; a writer's lock may be held during the
    /// wait.
    fn write_synced(&self, batch: Batch) -> Result<RowVersion, CommitError> {
        Handle::current().block_on(self.store.commit(batch, Durability::Synced))
    }

    async fn blocking<T, F>(self: &Arc<Self>, work: F) -> Result<T, RegistryError>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> Result<T, RegistryError> + Send + 'static,
    {
        let registry = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&registry)).await.map_err(|_| RegistryError::Interrupted)?
    }

    fn stripe(&self, id: &FunctionId) -> MutexGuard<'_, ()> {
        let hash = self.hasher.hash_one(id);
        let index = usize::try_from(hash % STRIPES as u64).unwrap_or_default();
        lock(&self.stripes[index])
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Functions> {
        self.functions.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Functions> {
        self.functions.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The guarded data is `()`, so that a panic of another writer leaves nothing incomplete.
fn lock(mutex: &Mutex<()>) -> MutexGuard<'_, ()> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod tests;
