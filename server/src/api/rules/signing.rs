//! Code signing configs and the functions that have one [fact:code-signing-texts].
//!
//! Invariant: a function's config counts only while it exists, so that the deletion of a config needs no change of
//! functions that got it at the same time.

use std::sync::Arc;

use lambd_model::{Attached, CodeSigning, Function, FunctionId, LATEST, Place, ResourceId};
use lambd_wire::{Error, ErrorCode, types};

use crate::app::App;
use crate::resources::{CodeSigningConfig, Resource as _};

/// The policy under which code without a valid signature is not deployed.
const ENFORCE: &str = "Enforce";

/// A config as the API shows it.
pub(in crate::api) fn shown(id: &ResourceId, config: &CodeSigningConfig) -> types::CodeSigningConfig {
    types::CodeSigningConfig {
        code_signing_config_id: Some(id.name.clone()),
        code_signing_config_arn: Some(id.arn(CodeSigningConfig::SEGMENT)),
        description: Some(config.description.clone()),
        allowed_publishers: Some(types::AllowedPublishers {
            signing_profile_version_arns: Some(config.profiles.clone()),
        }),
        code_signing_policies: Some(types::CodeSigningPolicies {
            untrusted_artifact_on_deployment: Some(config.untrusted.clone()),
        }),
        last_modified: Some(lambd_model::clock::last_modified(config.last_modified_ms)),
    }
}

/// 404 for a config that an operation is about.
pub(in crate::api) fn config_missing(arn: &str) -> Error {
    Error::new(
        ErrorCode::ResourceNotFoundException,
        format!("The Lambda code signing configuration {arn} can not be found."),
    )
}

/// The config that a function is to have.
pub(in crate::api) fn named(
    app: &App,
    place: &Place,
    arn: &str,
) -> Result<(ResourceId, Arc<CodeSigningConfig>), Error> {
    let id = ResourceId::parse_arn(arn, CodeSigningConfig::SEGMENT).filter(|id| id.is_in(place));
    let found = id.and_then(|id| app.resources.code_signing.get(&id).map(|config| (id, config)));
    found.ok_or_else(|| {
        Error::new(
            ErrorCode::CodeSigningConfigNotFoundException,
            format!(
                "The code signing configuration cannot be found. Check that the provided configuration is not \
                 deleted: {arn}."
            ),
        )
    })
}

/// The config that a function has.
pub(in crate::api) fn of_function(
    app: &App,
    function: &Function,
) -> Option<(ResourceId, Arc<CodeSigningConfig>)> {
    let id = place(&function.id).resource(function.attached.code_signing.get(LATEST)?.config.as_str());
    let config = app.resources.code_signing.get(&id)?;
    Some((id, config))
}

/// Names of the functions that have a config, ordered, after the name `after`.
pub(in crate::api) fn functions_of(app: &App, config: &ResourceId, after: Option<&str>) -> Vec<String> {
    let place = Place { account: Arc::clone(&config.account), region: Arc::clone(&config.region) };
    let has_it = |function: &Arc<Function>| {
        function.attached.code_signing.get(LATEST).is_some_and(|its| its.config == config.name)
    };
    let functions = app.registry.list(&place, after, usize::MAX).into_iter().filter(has_it);
    functions.map(|function| function.id.name.clone()).collect()
}

/// Gives a function the config, or takes its own away.
pub(in crate::api) fn attach(attached: &mut Attached, config: Option<ResourceId>) {
    attached.code_signing =
        config.map(|id| (LATEST.to_owned(), Arc::new(CodeSigning { config: id.name }))).into_iter().collect();
}

/// Refuses code where the config enforces signatures [fact:code-signing-refusals]: none can be verified here, and code
/// that was not verified must not run.
pub(in crate::api) fn check_code(config: Option<&CodeSigningConfig>) -> Result<(), Error> {
    if config.is_none_or(|config| config.untrusted != ENFORCE) {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::CodeVerificationFailedException,
        "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client \
         is not configured to accept. Check the provided signature for unsigned. This release of lambd verifies no \
         signatures: no code passes the policy Enforce.",
    ))
}

fn place(function: &FunctionId) -> Place {
    Place { account: Arc::clone(&function.account), region: Arc::clone(&function.region) }
}
