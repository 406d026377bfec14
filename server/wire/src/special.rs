//! Refusals that the model lacks but that follow from the request alone (recorded 2025-11).
//!
//! [`crate::validate()`] refuses too long a name of a new function, too many tags in one request and too large
//! an environment. Left to the server: runtimes, of which it knows more than their names; what needs stored
//! state (existing tags, versions, layers), the package's sizes, an operator's bounds on memory and timeout.

use std::any::Any;
use std::collections::BTreeMap;

use crate::generated::{Operation, input, types};
use crate::{Error, validate};

/// Longest name of a function, without account, region or qualifier.
pub const MAX_FUNCTION_NAME_CHARS: usize = 64;
/// Most tags of one resource.
pub const MAX_TAGS: usize = 50;
/// Largest environment, measured as compact JSON.
pub const MAX_ENVIRONMENT_BYTES: usize = 4096;

/// What is refused although the model allows it.
pub(crate) fn check(operation: Operation, input: &dyn Any) -> Result<(), Error> {
    match operation {
        Operation::CreateFunction => input.downcast_ref().map_or(Ok(()), create_function),
        Operation::UpdateFunctionConfiguration => input
            .downcast_ref::<input::UpdateFunctionConfiguration>()
            .map_or(Ok(()), |input| environment(input.environment.as_ref())),
        Operation::TagResource => {
            input.downcast_ref::<input::TagResource>().map_or(Ok(()), |input| tags(input.tags.as_ref()))
        }
        _ => Ok(()),
    }
}

fn create_function(input: &input::CreateFunction) -> Result<(), Error> {
    if let Some(name) = &input.function_name {
        let bare = bare_function_name(name);
        if bare.chars().count() > MAX_FUNCTION_NAME_CHARS {
            return Err(Error::invalid_parameter(validate::message(&[format!(
                "Value '{bare}' at 'functionName' failed to satisfy constraint: \
                 Member must have length less than or equal to {MAX_FUNCTION_NAME_CHARS}"
            )])));
        }
    }
    tags(input.tags.as_ref())?;
    environment(input.environment.as_ref())
}

/// The name in a name, partial ARN or ARN that matches the model's pattern.
fn bare_function_name(name: &str) -> &str {
    let rest = name.rsplit_once("function:").map_or(name, |(_, rest)| rest);
    rest.split(':').next().unwrap_or(rest)
}

fn tags(tags: Option<&BTreeMap<String, String>>) -> Result<(), Error> {
    if tags.is_some_and(|tags| tags.len() > MAX_TAGS) {
        return Err(Error::invalid_parameter("Number of tags exceeds resource tag limit."));
    }
    Ok(())
}

fn environment(environment: Option<&types::Environment>) -> Result<(), Error> {
    let Some(variables) = environment.and_then(|environment| environment.variables.as_ref()) else {
        return Ok(());
    };
    let measured = serde_json::to_string(variables).unwrap_or_default();
    if measured.len() <= MAX_ENVIRONMENT_BYTES {
        return Ok(());
    }
    Err(Error::invalid_parameter(format!(
        "Lambda was unable to configure your environment variables because the environment variables you have \
         provided exceeded the 4KB limit. String measured: {measured}"
    )))
}
