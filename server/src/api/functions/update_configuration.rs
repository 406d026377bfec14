//! UpdateFunctionConfiguration: members that are given replace what is there.

use std::sync::Arc;

use lambd_model::{Configuration, Function, clock};
use lambd_wire::{Error, input, output};

use crate::api::rules::{errors, present, settings, settle, updates};
use crate::api::{Call, Found};
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: Found,
    mut input: input::UpdateFunctionConfiguration,
) -> Result<output::UpdateFunctionConfiguration, Error> {
    let Found { target, function: before } = found;
    let arn = call.place.function_arn(&target.id.name);
    refuse_features(&input)?;
    if let Some(runtime) = &input.runtime {
        settings::runtime(&app.catalog, runtime)?;
    }
    let revision = input.revision_id.take();
    updates::check(&before, revision.as_deref()).map_err(|error| errors::of(&error, &arn))?;
    let latest = merge(&before.latest.configuration, input)?;
    let seen = before.latest.generation;
    let change = move |function: &Function| {
        updates::check(function, revision.as_deref())?;
        // Merged from an older snapshot: another update came between.
        if function.latest.generation != seen {
            return Err(RegistryError::InProgress);
        }
        Ok(function.updated(latest, clock::now_ms()))
    };
    let changed = app.registry.update(target.id, change).await.map_err(|error| errors::of(&error, &arn))?;
    app.dispatcher.retire(&changed.before.latest);
    settle::spawn(app, &changed.now);
    Ok(present::configuration(app, &changed.now, &call.place, target.qualifier.as_deref()))
}

fn refuse_features(input: &input::UpdateFunctionConfiguration) -> Result<(), Error> {
    let image = input.image_config.as_ref();
    settings::refuse(image.is_some_and(|image| *image != Default::default()), "ImageConfig")?;
    settings::refuse(input.durable_config.is_some(), "DurableConfig")?;
    settings::refuse(input.capacity_provider_config.is_some(), "CapacityProviderConfig")?;
    settings::refuse(input.file_system_configs.as_ref().is_some_and(|l| !l.is_empty()), "FileSystemConfigs")
}

fn merge(before: &Configuration, input: input::UpdateFunctionConfiguration) -> Result<Configuration, Error> {
    settings::no_layers(input.layers)?;
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
    set(&mut latest.tracing_mode, settings::tracing_mode(input.tracing_config));
    set(&mut latest.snap_start, input.snap_start.and_then(|s| s.apply_on));
    latest.timeout_s = settings::timeout(input.timeout)?.unwrap_or(latest.timeout_s);
    latest.memory_mib = settings::memory(input.memory_size)?.unwrap_or(latest.memory_mib);
    latest.ephemeral_mib = settings::ephemeral(input.ephemeral_storage)?.unwrap_or(latest.ephemeral_mib);
    if let Some(environment) = input.environment {
        latest.environment = Some(settings::environment(environment));
    }
    if let Some(vpc) = input.vpc_config {
        latest.vpc = Some(settings::vpc(vpc));
    }
    if let Some(dead_letter) = input.dead_letter_config {
        latest.dead_letter_arn = settings::non_empty(dead_letter.target_arn);
    }
    if let Some(key) = input.kms_key_arn {
        latest.kms_key_arn = settings::non_empty(Some(key));
    }
    if let Some(logging) = input.logging_config {
        latest.logging = settings::logging(&latest.logging, logging)?;
    }
    Ok(latest)
}
