//! Rules that depend on all functions of an account.

use std::collections::BTreeMap;
use std::sync::Arc;

use lambd_model::LATEST;

use super::{Function, FunctionId, RegistryError};

/// Executions that an account must keep unreserved [fact:unreserved-minimum].
const UNRESERVED_MIN: u32 = 100;

/// Most tags of one function [fact:tag-count].
const TAGS_MAX: usize = 50;

/// The usage of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Number of functions.
    pub functions: u64,
    /// Sum of the sizes of all zips, bytes; a package of two functions counts twice, as on AWS.
    pub code_bytes: u64,
    /// Concurrency limit of the account.
    pub concurrency: u32,
    /// The part of it that is kept for no function.
    pub unreserved_concurrency: u32,
}

/// Concurrency of the account that is kept for its other functions.
pub(super) fn claimed_by_others<'a>(
    functions: impl Iterator<Item = &'a Arc<Function>>,
    id: &FunctionId,
) -> u32 {
    let others = functions.filter(|f| f.id.account == id.account && *f.id != *id);
    others.map(|f| f.claimed_concurrency()).sum()
}

pub(super) fn check_reservation(
    limit: u32,
    others: u32,
    wanted: u32,
    function: &Function,
) -> Result<(), RegistryError> {
    let provisioned = function.provisioned_total();
    if wanted < provisioned {
        return Err(RegistryError::BelowProvisioned { reserved: wanted, provisioned });
    }
    let sum = u64::from(others) + u64::from(wanted) + u64::from(UNRESERVED_MIN);
    // A reservation of 0 uses nothing and must always be possible.
    if wanted > 0 && sum > u64::from(limit) { Err(RegistryError::Unreserved) } else { Ok(()) }
}

/// Whether a qualifier can have so many provisioned executions [fact:provisioned-limits].
pub(super) fn check_provisioned(
    limit: u32,
    others: u32,
    function: &Function,
    qualifier: &str,
    wanted: u32,
) -> Result<(), RegistryError> {
    match function.aliases.get(qualifier) {
        Some(alias) if function.is_provisioned_below(alias) => return Err(RegistryError::VersionProvisioned),
        Some(alias) if alias.names(LATEST) => return Err(RegistryError::Unpublished),
        Some(_) => {}
        None if function.published(qualifier).is_none() => {
            return Err(RegistryError::QualifierMissing(qualifier.to_owned()));
        }
        None if function.provisioned_alias(qualifier).is_some() => {
            return Err(RegistryError::AliasProvisioned);
        }
        None => {}
    }
    let own = function.attached.provisioned.get(qualifier).map_or(0, |before| before.executions);
    let other_qualifiers = function.provisioned_total().saturating_sub(own);
    if let Some(reserved) = function.reserved_concurrency {
        let fits = wanted.checked_add(other_qualifiers).is_some_and(|total| total <= reserved);
        return if fits { Ok(()) } else { Err(RegistryError::AboveReserved) };
    }
    let unreserved = limit.saturating_sub(others).saturating_sub(other_qualifiers);
    match unreserved.checked_sub(wanted) {
        None => Err(RegistryError::AboveUnreserved(unreserved)),
        Some(left) if left < UNRESERVED_MIN => Err(RegistryError::ProvisionedUnreserved),
        Some(_) => Ok(()),
    }
}

pub(super) fn usage<'a>(functions: impl Iterator<Item = &'a Arc<Function>>, limit: u32) -> Usage {
    let mut usage = Usage { functions: 0, code_bytes: 0, concurrency: limit, unreserved_concurrency: limit };
    for function in functions {
        usage.functions += 1;
        usage.code_bytes +=
            function.all_versions().map(|version| version.configuration.code.zipped_bytes).sum::<u64>();
        let claimed = function.claimed_concurrency();
        usage.unreserved_concurrency = usage.unreserved_concurrency.saturating_sub(claimed);
    }
    usage
}

/// The tags after a merge; more than [`TAGS_MAX`] are refused.
pub(crate) fn merge_tags(
    present: &BTreeMap<String, String>,
    new: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, RegistryError> {
    let mut tags = present.clone();
    tags.extend(new);
    if tags.len() > TAGS_MAX { Err(RegistryError::TooManyTags) } else { Ok(tags) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_and_a_function_have_the_same_limit_of_tags() {
        assert_eq!(TAGS_MAX, lambd_wire::special::MAX_TAGS);
    }
}
