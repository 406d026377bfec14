//! GetFunction: configuration, tags, reserved concurrency, and where the code can be downloaded.

use std::sync::Arc;

use lambd_wire::{Error, input, output, types};

use crate::api::{Call, Found};
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    found: Found,
    _input: input::GetFunction,
) -> Result<output::GetFunction, Error> {
    let code = types::FunctionCodeLocation {
        repository_type: Some("S3".to_owned()),
        location: Some(app.code_location(
            &call.endpoint,
            &call.place.region,
            found.function.latest.configuration.code.sha256,
        )),
        ..Default::default()
    };
    Ok(output::GetFunction {
        configuration: Some(found.present(app, call)),
        code: Some(code),
        tags: (!found.function.tags.is_empty()).then(|| found.function.tags.clone()),
        concurrency: found.function.reserved_concurrency.map(|reserved| types::Concurrency {
            reserved_concurrent_executions: i32::try_from(reserved).ok(),
        }),
        ..Default::default()
    })
}
