//! GetFunction: configuration, tags, reserved concurrency, and where the code can be downloaded.

use std::sync::Arc;

use lambd_wire::{Error, input, output, types};

use super::target::Target;
use super::{Call, present};
use crate::app::App;

pub(super) async fn handle(
    app: &Arc<App>,
    call: &Call,
    input: input::GetFunction,
) -> Result<output::GetFunction, Error> {
    let target = Target::parse(&call.place, input.function_name.as_deref(), input.qualifier.as_deref())?;
    let function = target.find(app, &call.place)?;
    let code = types::FunctionCodeLocation {
        repository_type: Some("S3".to_owned()),
        location: Some(app.code_location(&call.endpoint, &call.place.region, function.latest.code.sha256)),
        ..Default::default()
    };
    Ok(output::GetFunction {
        configuration: Some(present::configuration(app, &function, &call.place, target.qualifier.as_deref())),
        code: Some(code),
        tags: (!function.tags.is_empty()).then(|| function.tags.clone()),
        concurrency: function.reserved_concurrency.map(|reserved| types::Concurrency {
            reserved_concurrent_executions: i32::try_from(reserved).ok(),
        }),
        ..Default::default()
    })
}
