//! `RoutingConfig` of an alias: a second version and its share of the invocations [fact:alias-weights].

use lambd_model::{Function, LATEST};
use lambd_wire::{Error, types};

use super::target_function::invalid;
use crate::registry::RegistryError;

/// What a request asks for, apart from whether the versions exist.
pub(in crate::api) fn second(
    version: &str,
    routing: Option<types::AliasRoutingConfiguration>,
) -> Result<Option<(u64, f64)>, Error> {
    let weights = routing.and_then(|routing| routing.additional_version_weights).unwrap_or_default();
    if weights.len() > 1 {
        return Err(invalid("Number of items in AdditionalVersionWeights cannot be greater than 1"));
    }
    let Some((number, share)) = weights.into_iter().next() else { return Ok(None) };
    if version == LATEST {
        return Err(invalid("$LATEST is not supported for an alias pointing to more than 1 version"));
    }
    if number == version {
        return Err(invalid(format!(
            "Invalid function version {number}. Function version {number} is already included in routing \
             configuration."
        )));
    }
    // The model's pattern has let digits through only.
    let number = number.parse().map_err(|_| invalid(format!("Invalid function version {number}.")))?;
    Ok(Some((number, share)))
}

/// Whether the function has the versions that an alias is to name.
pub(in crate::api) fn check(
    function: &Function,
    version: &str,
    second: Option<(u64, f64)>,
) -> Result<(), RegistryError> {
    let second = second.map(|(number, _)| number.to_string());
    for qualifier in [Some(version.to_owned()), second].into_iter().flatten() {
        if function.version(&qualifier).is_none() {
            return Err(RegistryError::VersionMissing(qualifier));
        }
    }
    Ok(())
}
