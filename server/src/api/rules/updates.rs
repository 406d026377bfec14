//! The checks that come first in every update of code or settings.

use lambd_model::{Function, LastUpdate};

use crate::registry::RegistryError;

/// Requires that the caller's revision, if given, is the present one and that no update is in progress.
pub(in crate::api) fn check(function: &Function, revision: Option<&str>) -> Result<(), RegistryError> {
    if revision.is_some_and(|revision| revision != function.revision_id.to_string()) {
        return Err(RegistryError::Revision);
    }
    // A Pending function cannot be updated either.
    if function.last_update == Some(LastUpdate::InProgress) || function.last_update.is_none() {
        return Err(RegistryError::InProgress);
    }
    Ok(())
}
