//! Errors of the registry as answers of the API.

use lambd_wire::{Error, ErrorCode};

use super::policy;
use super::target_function::{invalid, not_found};
use crate::registry::RegistryError;
use crate::resources::WriteError;

/// The answer for an error; `arn` is the function's unqualified ARN.
pub(in crate::api) fn of(error: &RegistryError, arn: &str) -> Error {
    match error {
        RegistryError::Missing => not_found(arn),
        RegistryError::Revision => Error::new(
            ErrorCode::PreconditionFailedException,
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API \
             to retrieve the latest Revision Id",
        ),
        RegistryError::InProgress => Error::new(
            ErrorCode::ResourceConflictException,
            format!(
                "The operation cannot be performed at this time. An update is in progress for resource: {arn}"
            ),
        ),
        RegistryError::Invalid(text) => invalid(text.clone()),
        // What cannot be the name of an alias is called a function.
        RegistryError::QualifierMissing(qualifier) if !is_alias_name(qualifier) => {
            not_found(&format!("{arn}:{qualifier}"))
        }
        RegistryError::QualifierMissing(qualifier) => Error::new(
            ErrorCode::ResourceNotFoundException,
            format!("Cannot find alias arn: {arn}:{qualifier}"),
        ),
        RegistryError::CodeHash { given, current } => invalid(format!(
            "CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({current}). Please try again \
             with the CodeSHA256 in $LATEST."
        )),
        RegistryError::VersionMissing(number) => not_found(&format!("{arn}:{number}")),
        RegistryError::AliasExists(name) => {
            Error::new(ErrorCode::ResourceConflictException, format!("Alias already exists: {arn}:{name}"))
        }
        RegistryError::AliasMissing(name) => {
            Error::new(ErrorCode::ResourceNotFoundException, format!("Alias not found: {arn}:{name}"))
        }
        RegistryError::VersionInUse(aliases) => Error::new(
            ErrorCode::ResourceConflictException,
            format!(
                "Unable to delete version because the following aliases reference it: [{}]",
                aliases.join(", ")
            ),
        ),
        RegistryError::PolicyRevision
        | RegistryError::StatementExists(_)
        | RegistryError::StatementMissing(_)
        | RegistryError::NoPolicy
        | RegistryError::PolicyLength(_) => of_policy(error),
        RegistryError::TooManyTags => Error::too_many_tags(),
        RegistryError::Unreserved => invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's \
             UnreservedConcurrentExecution below its minimum value of [100].",
        ),
        RegistryError::BelowProvisioned { .. }
        | RegistryError::AboveReserved
        | RegistryError::AboveUnreserved(_)
        | RegistryError::ProvisionedUnreserved
        | RegistryError::VersionProvisioned
        | RegistryError::AliasProvisioned
        | RegistryError::Unpublished => of_provisioned(error),
        // Only CreateFunction gets `Exists`, and answers it itself.
        RegistryError::Exists
        | RegistryError::Store(_)
        | RegistryError::Record(_)
        | RegistryError::Interrupted => storage(error),
    }
}

fn is_alias_name(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && !text.bytes().all(|b| b.is_ascii_digit())
}

/// Errors of a resource policy [fact:policy-texts].
fn of_policy(error: &RegistryError) -> Error {
    match error {
        RegistryError::PolicyRevision => Error::new(
            ErrorCode::PreconditionFailedException,
            "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the \
             latest Revision Id",
        ),
        RegistryError::StatementExists(sid) => policy::statement_exists(sid),
        RegistryError::StatementMissing(sid) => policy::statement_missing(sid),
        RegistryError::NoPolicy => policy::none(),
        RegistryError::PolicyLength(bytes) => policy::too_long(*bytes),
        other => storage(other),
    }
}

/// Errors of provisioned concurrency [fact:provisioned-limits].
fn of_provisioned(error: &RegistryError) -> Error {
    let conflict = |text: &str| Error::new(ErrorCode::ResourceConflictException, text);
    match error {
        // The spaces are AWS's.
        RegistryError::BelowProvisioned { reserved, provisioned } => invalid(format!(
            " ReservedConcurrentExecutions  {reserved} should not be lower than function's total provisioned \
             concurrency [{provisioned}]."
        )),
        RegistryError::AboveReserved => invalid(
            "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
        ),
        RegistryError::AboveUnreserved(unreserved) => invalid(format!(
            "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency \
             [{unreserved}]."
        )),
        RegistryError::ProvisionedUnreserved => invalid(
            "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its \
             minimum value of [100].",
        ),
        RegistryError::VersionProvisioned => conflict(
            "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
        ),
        RegistryError::AliasProvisioned => conflict("Version is pointed by a Provisioned Concurrency alias"),
        RegistryError::Unpublished => {
            invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
        }
        other => storage(other),
    }
}

/// 404 for a resource that the text does not name: a mapping, a URL, a version of a layer, a policy.
pub(in crate::api) fn no_resource() -> Error {
    Error::new(ErrorCode::ResourceNotFoundException, "The resource you requested does not exist.")
}

/// 500: the change was not acknowledged. The cause goes to the server's log, not to the caller.
pub(in crate::api) fn storage(error: &(dyn std::error::Error + 'static)) -> Error {
    tracing::error!(error, "cannot store a change");
    crate::api::service_error("The change could not be stored. Nothing was changed; see the server's log.")
}

impl From<WriteError> for Error {
    fn from(error: WriteError) -> Self {
        storage(&error)
    }
}
