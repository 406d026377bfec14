//! GetFunctionCodeSigningConfig: always none. Terraform's plan needs the answer (clients.md 3).

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use super::Call;
use super::target::Target;
use crate::app::App;

pub(super) async fn handle(
    app: &Arc<App>,
    call: &Call,
    input: input::GetFunctionCodeSigningConfig,
) -> Result<output::GetFunctionCodeSigningConfig, Error> {
    let target = Target::parse(&call.place, input.function_name.as_deref(), None)?;
    let function = target.find(app, &call.place)?;
    Ok(output::GetFunctionCodeSigningConfig {
        code_signing_config_arn: Some(String::new()),
        function_name: Some(function.key.name.clone()),
    })
}
