//! UpdateFunctionConfiguration: members that are given replace what is there.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use super::create_function::mode;
use super::target::Target;
use super::{Call, answer, configure, prepare, present};
use crate::app::App;
use crate::model::{Configuration, Function, LastUpdate, clock};
use crate::registry::RegistryError;

pub(super) async fn handle(
    app: &Arc<App>,
    call: &Call,
    mut input: input::UpdateFunctionConfiguration,
) -> Result<output::UpdateFunctionConfiguration, Error> {
    let target = Target::parse(&call.place, input.function_name.as_deref(), None)?;
    let before = target.find(app, &call.place)?;
    let arn = call.place.function_arn(&target.key.name);
    refuse_features(&input)?;
    if let Some(runtime) = &input.runtime {
        configure::runtime(&app.catalog, runtime)?;
    }
    let revision = input.revision_id.take();
    check(&before, revision.as_deref()).map_err(|error| answer::of(&error, &arn))?;
    let latest = merge(&before.latest, input)?;
    let seen = before.latest.generation;
    let change = move |function: &Function| {
        check(function, revision.as_deref())?;
        // Merged from an older snapshot: another update came between.
        if function.latest.generation != seen {
            return Err(RegistryError::InProgress);
        }
        Ok(function.updated(latest, clock::now_ms()))
    };
    let function = app.registry.update(target.key, change).await.map_err(|error| answer::of(&error, &arn))?;
    app.dispatcher.retire(&function.key);
    prepare::spawn(app, &function);
    Ok(present::configuration(app, &function, &call.place, target.qualifier.as_deref()))
}

/// What both updates ask for first: the caller's revision, if given, and no update under way.
pub(super) fn check(function: &Function, revision: Option<&str>) -> Result<(), RegistryError> {
    if revision.is_some_and(|revision| revision != function.revision_id.to_string()) {
        return Err(RegistryError::Revision);
    }
    // A function that is still Pending is as busy as one that is being updated.
    if function.last_update == Some(LastUpdate::InProgress) || function.last_update.is_none() {
        return Err(RegistryError::InProgress);
    }
    Ok(())
}

fn refuse_features(input: &input::UpdateFunctionConfiguration) -> Result<(), Error> {
    let image = input.image_config.as_ref();
    configure::refuse(image.is_some_and(|image| *image != Default::default()), "ImageConfig")?;
    configure::refuse(input.durable_config.is_some(), "DurableConfig")?;
    configure::refuse(input.capacity_provider_config.is_some(), "CapacityProviderConfig")?;
    configure::refuse(input.file_system_configs.as_ref().is_some_and(|l| !l.is_empty()), "FileSystemConfigs")
}

fn merge(before: &Configuration, input: input::UpdateFunctionConfiguration) -> Result<Configuration, Error> {
    configure::no_layers(input.layers)?;
    let mut latest = before.clone();
    let set = |slot: &mut String, new: Option<String>| {
        if let Some(new) = new {
            *slot = new;
        }
    };
    set(&mut latest.role, input.role);
    set(&mut latest.handler, input.handler);
    set(&mut latest.runtime, input.runtime);
    set(&mut latest.description, input.description);
    set(&mut latest.tracing_mode, mode(input.tracing_config));
    set(&mut latest.snap_start, input.snap_start.and_then(|s| s.apply_on));
    latest.timeout_s = configure::timeout(input.timeout)?.unwrap_or(latest.timeout_s);
    latest.memory_mib = configure::memory(input.memory_size)?.unwrap_or(latest.memory_mib);
    latest.ephemeral_mib = configure::ephemeral(input.ephemeral_storage)?.unwrap_or(latest.ephemeral_mib);
    if let Some(environment) = input.environment {
        latest.environment = Some(configure::environment(environment));
    }
    if let Some(vpc) = input.vpc_config {
        latest.vpc = Some(configure::vpc(vpc));
    }
    if let Some(dead_letter) = input.dead_letter_config {
        latest.dead_letter_arn = configure::non_empty(dead_letter.target_arn);
    }
    if let Some(key) = input.kms_key_arn {
        latest.kms_key_arn = configure::non_empty(Some(key));
    }
    if let Some(logging) = input.logging_config {
        latest.logging = configure::logging(&latest.logging, logging)?;
    }
    Ok(latest)
}
