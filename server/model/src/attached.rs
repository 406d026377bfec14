//! Settings that are attached to a function, a version or an alias, and go with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::settings::{
    CodeSigning, EventInvoke, FunctionUrl, ProvisionedConcurrency, RecursiveLoop, RuntimeManagement, Scaling,
};
use crate::{Function, LATEST};

/// One kind of settings by the qualifier that each belongs to; [`LATEST`] is the function itself.
pub type ByQualifier<T> = BTreeMap<String, Arc<T>>;

/// All that is attached to a function and its qualifiers, apart from policies.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attached {
    /// Which code it may get, of the function itself.
    pub code_signing: ByQualifier<CodeSigning>,
    /// What becomes of asynchronous invocations.
    pub event_invoke: ByQualifier<EventInvoke>,
    /// Addresses of their own, of the function itself and of aliases.
    pub urls: ByQualifier<FunctionUrl>,
    /// Which builds of its runtime it may get, of the function itself and of versions.
    pub runtime_management: ByQualifier<RuntimeManagement>,
    /// What becomes of loops, of the function itself.
    pub recursion: ByQualifier<RecursiveLoop>,
    /// Numbers of environments on managed instances, of versions.
    pub scaling: ByQualifier<Scaling>,
    /// Environments that are always there, of versions and aliases.
    pub provisioned: ByQualifier<ProvisionedConcurrency>,
}

impl Attached {
    /// Names every kind, so that a new one cannot be forgotten.
    fn remove(&mut self, qualifier: &str) {
        let Self { code_signing, event_invoke, urls, runtime_management, recursion, scaling, provisioned } =
            self;
        code_signing.remove(qualifier);
        event_invoke.remove(qualifier);
        urls.remove(qualifier);
        runtime_management.remove(qualifier);
        recursion.remove(qualifier);
        scaling.remove(qualifier);
        provisioned.remove(qualifier);
    }
}

impl Function {
    /// Whether the qualifier names the function itself, one of its versions or one of its aliases.
    pub fn has_qualifier(&self, qualifier: &str) -> bool {
        qualifier == LATEST || self.published(qualifier).is_some() || self.aliases.contains_key(qualifier)
    }

    /// Removes what is attached to a version or an alias that goes.
    pub fn detach(&mut self, qualifier: &str) {
        self.policies.remove(qualifier);
        self.attached.remove(qualifier);
    }

    /// The function with a change of what is attached to it.
    #[must_use]
    pub fn with_attached<T>(&self, change: impl FnOnce(&mut Attached) -> T) -> Self {
        let mut function = self.clone();
        // What was there before is still in the function that was not changed.
        let _ = change(&mut function.attached);
        function
    }
}
