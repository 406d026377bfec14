//! UpdateFunctionConfiguration: members that are given replace the present ones.

use std::sync::Arc;

use lambd_model::{Configuration, Function, LATEST, clock};
use lambd_wire::{Error, input, output};

use crate::api::rules::{
    activation, capacity, errors, features, image, layers, package, render, settings, updates,
};
use crate::api::{Call, FoundFunction, permissions};
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    mut input: input::UpdateFunctionConfiguration,
) -> Result<output::UpdateFunctionConfiguration, Error> {
    let FoundFunction { target, function: before, .. } = found;
    let arn = call.place.function_arn(&target.id.name);
    if let Some(role) = &input.role {
        permissions::pass_role(call, role)?;
    }
    refuse_features(&before.latest.configuration, &input)?;
    if let Some(runtime) = &input.runtime {
        settings::runtime(app, runtime)?;
    }
    let revision = input.revision_id.take();
    updates::check(&before, revision.as_deref()).map_err(|error| errors::of(&error, &arn))?;
    let latest = merge(app, call, &before.latest.configuration, input)?;
    let merged = package::merge_layers(app, &latest).await?;
    let seen = before.latest.generation;
    let change = move |function: &Function| {
        updates::check(function, revision.as_deref())?;
        // The merge used an older snapshot: another update came in between.
        if function.latest.generation != seen {
            return Err(RegistryError::InProgress);
        }
        Ok(function.updated(latest, clock::now_ms()))
    };
    let changed = app.registry.update(target.id, change).await.map_err(|error| errors::of(&error, &arn))?;
    drop(merged);
    app.dispatcher.retire(&changed.before.latest);
    app.collector.ask();
    activation::spawn(app, &changed.now);
    let qualifier = target.qualifier.as_deref().filter(|qualifier| *qualifier == LATEST);
    Ok(render::configuration(app, &changed.now, &changed.now.latest, &call.place, qualifier))
}

fn refuse_features(before: &Configuration, input: &input::UpdateFunctionConfiguration) -> Result<(), Error> {
    settings::refuse(input.runtime_config.is_some(), "RuntimeConfig")?;
    settings::refuse(input.accelerator_config.is_some(), "AcceleratorConfig")?;
    if before.image.is_none() {
        return image::refuse_config(input.image_config.as_ref());
    }
    let layers = input.layers.as_ref().is_some_and(|layers| !layers.is_empty());
    image::refuse_zip_settings(input.runtime.is_some() || input.handler.is_some() || layers)
}

fn merge(
    app: &App,
    call: &Call,
    before: &Configuration,
    input: input::UpdateFunctionConfiguration,
) -> Result<Configuration, Error> {
    let mut latest = before.clone();
    let is_moved = input.capacity_provider_config.is_some();
    if let Some(arns) = input.layers {
        latest.layers = layers::resolve(app, call, &arns, &before.layers)?;
    }
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
        latest.variables = settings::updated_variables(environment);
    }
    if let Some(vpc) = input.vpc_config {
        latest.vpc = Some(settings::vpc(app, vpc)?);
    }
    if let Some(dead_letter) = input.dead_letter_config {
        latest.dead_letter_arn = settings::non_empty(dead_letter.target_arn);
    }
    if let Some(key) = input.kms_key_arn {
        latest.kms_key_arn = settings::non_empty(Some(key));
    }
    if let Some(file_systems) = input.file_system_configs {
        latest.file_systems = features::file_systems(file_systems);
    }
    if let (Some(image), Some(config)) = (&mut latest.image, input.image_config) {
        image.config = image::config(config);
    }
    if let Some(durable) = input.durable_config {
        let durable = features::update_durable(latest.durable.as_deref(), durable)?;
        latest.durable = Some(Box::new(durable));
    }
    if let Some(provider) = input.capacity_provider_config {
        latest.capacity_provider = features::capacity_provider(provider).map(Box::new);
    }
    if let Some(logging) = input.logging_config {
        latest.logging = settings::logging(&latest.logging, logging)?;
    }
    features::check(&latest)?;
    if is_moved {
        capacity::check(app, &call.place, &mut latest)?;
    }
    Ok(latest)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    const PATH: &str = "/2015-03-31/functions/f/configuration";

    #[tokio::test]
    async fn no_variables_take_the_environment_away() {
        let api = Api::new().await;
        let mut request = function("f");
        request["Environment"] = json!({ "Variables": {} });
        let made = api.call("POST", "/2015-03-31/functions", request).await.ok();
        assert_eq!(made["Environment"], json!({ "Variables": {} }));
        api.settled("f").await;
        for (given, shown) in
            [(json!({ "A1": "" }), json!({ "Variables": { "A1": "" } })), (json!({}), Value::Null)]
        {
            let change = json!({ "Environment": { "Variables": given } });
            let answer = api.call("PUT", PATH, change).await.ok();
            assert_eq!(answer["Environment"], shown);
            api.settled("f").await;
        }
    }

    #[tokio::test]
    async fn given_members_replace_the_present_ones() {
        let api = Api::new().await;
        let made = api.create("f").await;
        let first =
            json!({ "Timeout": 9, "Environment": { "Variables": { "AB": "1" } }, "Description": "d" });
        api.call("PUT", PATH, first).await.ok();
        api.settled("f").await;
        let changed = api.call("PUT", PATH, json!({ "MemorySize": 256, "Runtime": "python3.11" })).await.ok();
        for (member, want) in [
            ("Timeout", json!(9)),
            ("Description", json!("d")),
            ("Environment", json!({ "Variables": { "AB": "1" } })),
            ("MemorySize", json!(256)),
            ("Runtime", json!("python3.11")),
            ("Handler", made["Handler"].clone()),
            ("CodeSha256", made["CodeSha256"].clone()),
            ("LastUpdateStatus", json!("InProgress")),
        ] {
            assert_eq!(changed[member], want, "{member}");
        }
    }

    #[tokio::test]
    async fn an_update_needs_a_settled_function_and_its_present_revision() {
        let api = Api::new().await;
        let made = api.create("f").await;
        let seen = api.call("GET", PATH, Value::Null).await.ok()["RevisionId"].clone();
        assert_ne!(seen, made["RevisionId"]);
        api.call("PUT", PATH, json!({ "Timeout": 4, "RevisionId": seen })).await.ok();
        api.settled("f").await;
        let stale = api.call("PUT", PATH, json!({ "Timeout": 5, "RevisionId": seen })).await.refused();
        assert_eq!((stale.0, stale.1.as_str()), (412, "PreconditionFailedException"));
        for (request, text) in [
            (json!({ "ImageConfig": { "Command": ["a"] } }), "Please don't provide ImageConfig"),
            (json!({ "Timeout": 901 }), "Member must have value less than or equal to 900"),
            (json!({ "LoggingConfig": { "ApplicationLogLevel": "INFO" } }), "LogFormat JSON"),
        ] {
            let (status, _, message) = api.call("PUT", PATH, request).await.refused();
            assert!(status == 400 && message.contains(text), "{status} {message}");
        }
        assert_eq!(api.call("GET", PATH, Value::Null).await.ok()["Timeout"], 4);
    }
}
