//! GetResourcePolicy: the policy that GetPolicy shows, by the ARN of its resource.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::policy;
use crate::api::rules::target_function::TargetFunction;
use crate::app::App;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    _input: input::GetResourcePolicy,
) -> Result<output::GetResourcePolicy, Error> {
    let (policy, revision_id) = policy::of(app, &call.place, &target)?;
    Ok(output::GetResourcePolicy { policy: Some(policy), revision_id })
}
