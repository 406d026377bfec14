//! UpdateFunctionCode: gives `$LATEST` a new package.

use std::sync::Arc;

use lambd_model::{Function, LATEST, PublishedVersion, Version, clock};
use lambd_wire::{Error, input, output};

use crate::api::rules::{activation, errors, package, render, settings, signing, updates};
use crate::api::{Call, FoundFunction};
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: FoundFunction,
    mut input: input::UpdateFunctionCode,
) -> Result<output::UpdateFunctionCode, Error> {
    let FoundFunction { target, function: before, .. } = found;
    let arn = call.place.function_arn(&target.id.name);
    let publish = input.publish == Some(true);
    settings::refuse(input.publish_to.is_some(), "PublishTo")?;
    let source = package::Source::take(&mut input);
    let architecture = settings::architecture(app, input.architectures)?;
    updates::check(&before, input.revision_id.as_deref()).map_err(|error| errors::of(&error, &arn))?;
    signing::check_code(signing::of_function(app, &before).as_ref().map(|(_, config)| &**config))?;
    let mut latest = (*before.latest.configuration).clone();
    let staged = source.stage(app, call, latest.image.is_some()).await?;
    staged.put_into(&mut latest);
    let merged = package::merge_layers(app, &latest).await?;
    if input.dry_run == Some(true) {
        let version = Version { configuration: Arc::new(latest), ..(*before.latest).clone() };
        let shown = Function { latest: Arc::new(version), ..(*before).clone() };
        let qualifier = target.qualifier.as_deref().filter(|qualifier| *qualifier == LATEST);
        return Ok(render::configuration(app, &shown, &shown.latest, &call.place, qualifier));
    }
    if let Some(architecture) = architecture {
        latest.architecture = architecture;
    }
    let (seen, revision) = (before.latest.generation, input.revision_id);
    let change = move |function: &Function| {
        updates::check(function, revision.as_deref())?;
        // This is made of an older snapshot: another update came in between, or another function.
        if function.latest.generation != seen {
            return Err(RegistryError::InProgress);
        }
        let function = function.updated(latest, clock::now_ms());
        Ok(if publish { function.publish(None).0 } else { function })
    };
    let changed = app.registry.update(target.id, change).await.map_err(|error| errors::of(&error, &arn))?;
    drop(staged);
    drop(merged);
    app.dispatcher.retire(&changed.before.latest);
    app.collector.ask();
    activation::spawn(app, &changed.now);
    match changed.now.last_published().filter(|_| publish).map(|published| &**published) {
        Some(PublishedVersion { version, .. }) => {
            Ok(render::configuration(app, &changed.now, version, &call.place, Some(&version.qualifier)))
        }
        None => {
            let qualifier = target.qualifier.as_deref().filter(|qualifier| *qualifier == LATEST);
            Ok(render::configuration(app, &changed.now, &changed.now.latest, &call.place, qualifier))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    const PATH: &str = "/2015-03-31/functions/f/code";

    #[tokio::test]
    async fn a_new_package_is_a_new_revision() {
        let api = Api::new().await;
        let made = api.create("f").await;
        let changed = api.call("PUT", PATH, json!({ "ZipFile": zip("two") })).await.ok();
        assert_ne!(changed["CodeSha256"], made["CodeSha256"]);
        assert_eq!(changed["LastUpdateStatus"], "InProgress");
        api.settled("f").await;
        let found = api.call("GET", "/2015-03-31/functions/f/configuration", Value::Null).await.ok();
        assert_eq!((&found["CodeSha256"], &found["State"]), (&changed["CodeSha256"], &json!("Active")));
        assert_ne!(found["RevisionId"], changed["RevisionId"]);
    }

    #[tokio::test]
    async fn a_dry_run_and_a_refusal_change_nothing() {
        let api = Api::new().await;
        let made = api.create("f").await;
        let dry = api.call("PUT", PATH, json!({ "ZipFile": zip("two"), "DryRun": true })).await.ok();
        assert_ne!(dry["CodeSha256"], made["CodeSha256"]);
        for (request, status, text) in [
            (
                json!({ "ZipFile": zip("two"), "RevisionId": "x" }),
                412,
                "The Revision Id provided does not match",
            ),
            (json!({}), 400, "Please provide a source for function code."),
            (json!({ "ZipFile": zip("two"), "Architectures": ["arm64", "x86_64"] }), 400, "rchitecture"),
            (json!({ "ImageUri": "x" }), 400, "Please don't provide ImageUri"),
        ] {
            let (got, _, message) = api.call("PUT", PATH, request).await.refused();
            assert!(got == status && message.contains(text), "{got} {message}");
        }
        let found = api.call("GET", "/2015-03-31/functions/f/configuration", Value::Null).await.ok();
        assert_eq!(found["CodeSha256"], made["CodeSha256"]);
        let missing = api.call("PUT", "/2015-03-31/functions/g/code", json!({ "ZipFile": zip("two") })).await;
        assert_eq!(missing.refused().0, 404);
    }
}
