//! Provisioned concurrency as answers show it [fact:provisioned-answers].

use std::sync::Arc;

use lambd_model::{Alias, Function, LATEST, ProvisionedConcurrency, clock};
use lambd_wire::{Error, types};

use super::errors;
use super::target_function::TargetFunction;
use crate::api::Call;
use crate::app::App;
use crate::dispatch::{Allocation, ProvisionedStatus};
use crate::registry::RegistryError;

/// What an unpublished version is refused with by all but Put.
pub(in crate::api) const NOT_PUBLISHED: &str =
    "The function resource provided must be an alias or a published version.";

/// The function, if it has the version or alias of the request. A missing function is called as the missing
/// qualifier would be.
pub(in crate::api) fn function(
    app: &App,
    call: &Call,
    target: &TargetFunction,
) -> Result<Arc<Function>, Error> {
    let qualifier = target.qualifier_or_latest();
    let function = app.registry.get(&target.id).filter(|function| function.has_qualifier(qualifier));
    function.ok_or_else(|| absent(call, target))
}

/// 404: no such function, version or alias.
pub(in crate::api) fn absent(call: &Call, target: &TargetFunction) -> Error {
    let missing = RegistryError::QualifierMissing(target.qualifier_or_latest().to_owned());
    errors::of(&missing, &call.place.function_arn(&target.id.name))
}

/// Whether an alias with provisioned concurrency may name these versions.
pub(in crate::api) fn check_alias(function: &Function, alias: &Alias) -> Result<(), RegistryError> {
    if alias.names(LATEST) {
        return Err(RegistryError::Unpublished);
    }
    if function.is_provisioned_below(alias) { Err(RegistryError::VersionProvisioned) } else { Ok(()) }
}

/// The concurrency of one qualifier with its status.
pub(in crate::api) fn shown(
    app: &App,
    call: &Call,
    function: &Function,
    qualifier: &str,
    provisioned: &ProvisionedConcurrency,
) -> types::ProvisionedConcurrencyConfigListItem {
    let ProvisionedStatus { allocated, available, allocation } =
        app.dispatcher.provisioned(function, qualifier);
    let (status, status_reason) = match allocation {
        Allocation::InProgress => ("IN_PROGRESS", None),
        Allocation::Ready => ("READY", None),
        Allocation::Failed(reason) => ("FAILED", Some(reason.to_string())),
    };
    types::ProvisionedConcurrencyConfigListItem {
        function_arn: Some(call.place.qualified_arn(&function.id.name, Some(qualifier))),
        requested_provisioned_concurrent_executions: i32::try_from(provisioned.executions).ok(),
        available_provisioned_concurrent_executions: i32::try_from(available).ok(),
        allocated_provisioned_concurrent_executions: i32::try_from(allocated).ok(),
        status: Some(status.to_owned()),
        status_reason,
        last_modified: Some(clock::last_modified_s(provisioned.last_modified_ms)),
    }
}
