//! `RoutingConfig` of an alias: a second version and its share of the invocations [fact:alias-weights].

use lambd_model::{Function, LATEST, version_number};
use lambd_wire::types;

use crate::registry::RegistryError;

/// The second version and its share, if the request has one.
pub(in crate::api) fn second(
    routing: Option<types::AliasRoutingConfiguration>,
) -> Result<Option<(u64, f64)>, RegistryError> {
    let weights = routing.and_then(|routing| routing.additional_version_weights).unwrap_or_default();
    if weights.len() > 1 {
        let text = "Number of items in AdditionalVersionWeights cannot be greater than 1";
        return Err(RegistryError::Invalid(text.to_owned()));
    }
    let Some((number, share)) = weights.into_iter().next() else { return Ok(None) };
    let parsed = version_number(&number).ok_or(RegistryError::VersionMissing(number))?;
    Ok(Some((parsed, share)))
}

/// Whether an alias may name these versions, and whether the function has them.
pub(in crate::api) fn check(
    function: &Function,
    version: &str,
    second: Option<(u64, f64)>,
) -> Result<(), RegistryError> {
    let second = second.map(|(number, _)| number.to_string());
    if second.is_some() && version == LATEST {
        let text = "$LATEST is not supported for an alias pointing to more than 1 version";
        return Err(RegistryError::Invalid(text.to_owned()));
    }
    if second.as_deref() == Some(version) {
        return Err(RegistryError::Invalid(format!(
            "Invalid function version {version}. Function version {version} is already included in routing \
             configuration."
        )));
    }
    for qualifier in [Some(version.to_owned()), second].into_iter().flatten() {
        if function.version(&qualifier).is_none() {
            return Err(RegistryError::VersionMissing(qualifier));
        }
    }
    Ok(())
}
