//! UpdateFunctionCode: a new package for `$LATEST`.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use super::target::{Target, invalid};
use super::{Call, answer, configure, package, prepare, present, update_function_configuration as update};
use crate::app::App;
use crate::model::clock;

pub(super) async fn handle(
    app: &Arc<App>,
    call: &Call,
    input: input::UpdateFunctionCode,
) -> Result<output::UpdateFunctionCode, Error> {
    let target = Target::parse(&call.place, input.function_name.as_deref(), None)?;
    let before = target.find(app, &call.place)?;
    let arn = call.place.function_arn(&target.key.name);
    configure::refuse(input.publish == Some(true), "Publish")?;
    configure::refuse(input.publish_to.is_some(), "PublishTo")?;
    package::refuse_sources(input.s3_bucket.is_some() || input.s3_key.is_some(), input.image_uri.is_some())?;
    let architecture = configure::architecture(input.architectures)?;
    let zip = input.zip_file.ok_or_else(|| invalid("Please provide a source for function code."))?;
    update::check(&before, input.revision_id.as_deref()).map_err(|error| answer::of(&error, &arn))?;
    let staged = package::stage(app, zip).await?;
    let (code, revision) = (package::code_ref(&staged), input.revision_id);
    if input.dry_run == Some(true) {
        let mut shown = (*before).clone();
        shown.latest.code = code;
        return Ok(present::configuration(app, &shown, &call.place, target.qualifier.as_deref()));
    }
    let change = move |function: &crate::model::Function| {
        update::check(function, revision.as_deref())?;
        let mut latest = function.latest.clone();
        latest.code = code;
        if let Some(architecture) = architecture {
            latest.architecture = architecture;
        }
        Ok(function.updated(latest, clock::now_ms()))
    };
    let function = app.registry.update(target.key, change).await.map_err(|error| answer::of(&error, &arn))?;
    drop(staged);
    app.dispatcher.retire(&function.key);
    app.collector.ask();
    prepare::spawn(app, &function);
    Ok(present::configuration(app, &function, &call.place, target.qualifier.as_deref()))
}
