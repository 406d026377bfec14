//! DeleteResourcePolicy: removes the whole policy.

use std::sync::Arc;

use lambd_model::{Function, LATEST};
use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::target_function::TargetFunction;
use crate::api::rules::{activation, errors};
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    input: input::DeleteResourcePolicy,
) -> Result<output::DeleteResourcePolicy, Error> {
    let arn = call.place.function_arn(&target.id.name);
    let qualifier = target.qualifier.unwrap_or_else(|| LATEST.to_owned());
    let revision = input.revision_id;
    let change = move |function: &Function| {
        let current = function
            .revision(&qualifier)
            .ok_or_else(|| RegistryError::QualifierMissing(qualifier.clone()))?;
        if !function.policies.contains_key(&qualifier) {
            return Err(RegistryError::NoPolicy);
        }
        if revision.is_some_and(|revision| revision != current.to_string()) {
            return Err(RegistryError::PolicyRevision);
        }
        Ok(function.with_policy(&qualifier, Vec::new()))
    };
    let changed = app.registry.update(target.id, change).await.map_err(|error| errors::of(&error, &arn))?;
    activation::go_on(app, &changed);
    Ok(output::DeleteResourcePolicy::default())
}
