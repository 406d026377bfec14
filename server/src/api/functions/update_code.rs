//! UpdateFunctionCode: a new package for `$LATEST`.

use std::sync::Arc;

use lambd_model::clock;
use lambd_wire::{Error, input, output};

use crate::api::rules::target::invalid;
use crate::api::rules::{errors, package, present, settings, settle, updates};
use crate::api::{Call, Found};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: Found,
    input: input::UpdateFunctionCode,
) -> Result<output::UpdateFunctionCode, Error> {
    let Found { target, function: before } = found;
    let arn = call.place.function_arn(&target.id.name);
    settings::refuse(input.publish == Some(true), "Publish")?;
    settings::refuse(input.publish_to.is_some(), "PublishTo")?;
    package::refuse_sources(input.s3_bucket.is_some() || input.s3_key.is_some(), input.image_uri.is_some())?;
    let architecture = settings::architecture(input.architectures)?;
    let zip = input.zip_file.ok_or_else(|| invalid("Please provide a source for function code."))?;
    updates::check(&before, input.revision_id.as_deref()).map_err(|error| errors::of(&error, &arn))?;
    let staged = package::stage(app, zip).await?;
    let (code, revision) = (package::code_ref(&staged), input.revision_id);
    if input.dry_run == Some(true) {
        let mut shown = (*before).clone();
        let mut latest = (*before.latest).clone();
        latest.configuration.code = code;
        shown.latest = Arc::new(latest);
        return Ok(present::configuration(app, &shown, &call.place, target.qualifier.as_deref()));
    }
    let change = move |function: &lambd_model::Function| {
        updates::check(function, revision.as_deref())?;
        let mut latest = function.latest.configuration.clone();
        latest.code = code;
        if let Some(architecture) = architecture {
            latest.architecture = architecture;
        }
        Ok(function.updated(latest, clock::now_ms()))
    };
    let changed = app.registry.update(target.id, change).await.map_err(|error| errors::of(&error, &arn))?;
    drop(staged);
    app.dispatcher.retire(&changed.before.latest);
    app.collector.ask();
    settle::spawn(app, &changed.now);
    Ok(present::configuration(app, &changed.now, &call.place, target.qualifier.as_deref()))
}
