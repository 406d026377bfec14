//! Rules that depend on all functions of an account.

use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// The part of it that no function has reserved.
    pub unreserved_concurrency: u32,
}

/// Concurrency that the other functions of the same account have reserved.
pub(super) fn reserved_by_others<'a>(
    functions: impl Iterator<Item = &'a Arc<Function>>,
    id: &FunctionId,
) -> u32 {
    let others = functions.filter(|f| f.id.account == id.account && *f.id != *id);
    others.filter_map(|f| f.reserved_concurrency).sum()
}

pub(super) fn check_reservation(limit: u32, others: u32, wanted: u32) -> Result<(), RegistryError> {
    let sum = u64::from(others) + u64::from(wanted) + u64::from(UNRESERVED_MIN);
    // A reservation of 0 uses nothing and must always be possible.
    if wanted > 0 && sum > u64::from(limit) { Err(RegistryError::Unreserved) } else { Ok(()) }
}

pub(super) fn usage<'a>(functions: impl Iterator<Item = &'a Arc<Function>>, limit: u32) -> Usage {
    let mut usage = Usage { functions: 0, code_bytes: 0, concurrency: limit, unreserved_concurrency: limit };
    for function in functions {
        usage.functions += 1;
        usage.code_bytes +=
            function.all_versions().map(|version| version.configuration.code.zipped_bytes).sum::<u64>();
        let reserved = function.reserved_concurrency.unwrap_or(0);
        usage.unreserved_concurrency = usage.unreserved_concurrency.saturating_sub(reserved);
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
