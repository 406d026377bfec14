//! What an update of code and one of settings ask for first.

use lambd_model::{Function, LastUpdate};

use crate::registry::RegistryError;

/// The caller's revision, if given, and no update under way.
pub(in crate::api) fn check(function: &Function, revision: Option<&str>) -> Result<(), RegistryError> {
    if revision.is_some_and(|revision| revision != function.revision_id.to_string()) {
        return Err(RegistryError::Revision);
    }
    // A function that is still Pending is as busy as one that is being updated.
    if function.last_update == Some(LastUpdate::InProgress) || function.last_update.is_none() {
        return Err(RegistryError::InProgress);
    }
    Ok(())
}
