//! Code signing configs and the functions that have one [fact:code-signing-texts].
//!
//! Invariant: a link counts only while its function exists, so that a crash between the deletion of a function and
//! that of its link changes nothing.

use std::sync::Arc;

use lambd_model::{FunctionId, Place, ResourceId};
use lambd_wire::{Error, ErrorCode, types};

use super::target_function::not_found;
use crate::app::App;
use crate::resources::{CodeSigningConfig, CodeSigningLink, Resource as _};

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
    found.ok_or_else(|| missing(arn))
}

fn missing(arn: &str) -> Error {
    Error::new(
        ErrorCode::CodeSigningConfigNotFoundException,
        format!(
            "The code signing configuration cannot be found. Check that the provided configuration is not deleted: {arn}."
        ),
    )
}

/// The config that a function has.
pub(in crate::api) fn of_function(
    app: &App,
    function: &FunctionId,
) -> Option<(ResourceId, Arc<CodeSigningConfig>)> {
    let link = app.resources.code_signing_links.get(&link_id(function))?;
    let id = place(function).resource(link.config.clone());
    let config = app.resources.code_signing.get(&id)?;
    Some((id, config))
}

/// Names of the functions that have a config, ordered, after the name `after`.
pub(in crate::api) fn functions_of(app: &App, config: &ResourceId, after: Option<&str>) -> Vec<String> {
    let place = Place { account: Arc::clone(&config.account), region: Arc::clone(&config.region) };
    let links = app.resources.code_signing_links.list(&place, after, usize::MAX);
    let its = links.into_iter().filter(|(_, link)| link.config == config.name).map(|(name, _)| name);
    its.filter(|name| app.registry.get(&place.function(name.as_str())).is_some()).collect()
}

/// Gives a function the config.
pub(in crate::api) async fn attach(
    app: &Arc<App>,
    function: &FunctionId,
    config: ResourceId,
) -> Result<(), Error> {
    let link = CodeSigningLink { config: config.name.clone() };
    let configs = app.resources.code_signing.clone();
    let change = move |_: Option<&CodeSigningLink>| match configs.get(&config) {
        Some(_) => Ok(Some(link)),
        None => Err(missing(&config.arn(CodeSigningConfig::SEGMENT))),
    };
    app.resources.code_signing_links.change::<Error, _>(link_id(function), change).await?;
    if app.registry.get(function).is_none() {
        forget(app, function).await?;
        return Err(not_found(&function.to_string()));
    }
    Ok(())
}

/// Takes a function's config away; one without is no error.
pub(in crate::api) async fn detach(app: &App, function: &FunctionId) -> Result<(), Error> {
    app.resources.code_signing_links.change::<Error, _>(link_id(function), |_| Ok(None)).await.map(drop)
}

/// Removes the link of a function that was deleted. One that was created anew since then keeps its own.
pub(in crate::api) async fn forget(app: &App, function: &FunctionId) -> Result<(), Error> {
    let (registry, function) = (Arc::clone(&app.registry), function.clone());
    let change = {
        let function = function.clone();
        move |link: Option<&CodeSigningLink>| Ok(link.filter(|_| registry.get(&function).is_some()).cloned())
    };
    app.resources.code_signing_links.change::<Error, _>(link_id(&function), change).await.map(drop)
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

fn link_id(function: &FunctionId) -> ResourceId {
    place(function).resource(function.name.clone())
}
