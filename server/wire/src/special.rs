//! Refusals that are not in the model but need nothing except the request [fact:setting-texts].
//!
//! [`crate::validate()`] refuses reserved names of variables, a new function's name that is too long, too
//! many tags in one request, and variables that are too large together. The server checks the rest: runtimes,
//! of which it knows more than their names; everything that needs stored state (tags, versions, layers); the
//! package's sizes; an operator's bounds on memory and timeout.

use std::any::Any;
use std::collections::BTreeMap;

use crate::generated::{Operation, input, types};
use crate::{Error, validate};

/// Longest name of a function, without account, region or qualifier.
pub const MAX_FUNCTION_NAME_CHARS: usize = 64;
/// Most tags of one resource [fact:tag-count].
pub const MAX_TAGS: usize = 50;
/// Largest set of variables, measured in bytes of compact JSON [fact:variables-size].
pub const MAX_ENVIRONMENT_BYTES: usize = 4096;

/// Names of variables that the platform sets itself [fact:reserved-variables].
pub const RESERVED_VARIABLES: [&str; 21] = [
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "AWS_LAMBDA_METADATA_API",
    "AWS_LAMBDA_METADATA_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
];

/// Refusals that come before the model's constraints. Such a request may also break some of these, but the
/// caller must learn the cause.
pub(crate) fn check_first(operation: Operation, input: &dyn Any) -> Result<(), Error> {
    match operation {
        Operation::CreateFunction => input
            .downcast_ref::<input::CreateFunction>()
            .map_or(Ok(()), |input| no_reserved_names(input.environment.as_ref())),
        Operation::UpdateFunctionConfiguration => input
            .downcast_ref::<input::UpdateFunctionConfiguration>()
            .map_or(Ok(()), |input| no_reserved_names(input.environment.as_ref())),
        _ => Ok(()),
    }
}

/// Refuses what the model allows but the service does not.
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

/// The bare name in a name, partial ARN or ARN that matches the model's pattern.
fn bare_function_name(name: &str) -> &str {
    let rest = name.rsplit_once("function:").map_or(name, |(_, rest)| rest);
    rest.split(':').next().unwrap_or(rest)
}

fn tags(tags: Option<&BTreeMap<String, String>>) -> Result<(), Error> {
    if tags.is_some_and(|tags| tags.len() > MAX_TAGS) {
        return Err(Error::too_many_tags());
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

fn no_reserved_names(environment: Option<&types::Environment>) -> Result<(), Error> {
    let variables = environment.and_then(|environment| environment.variables.as_ref());
    let names = variables.into_iter().flat_map(|variables| variables.keys());
    let reserved: Vec<&str> =
        names.map(String::as_str).filter(|name| RESERVED_VARIABLES.contains(name)).collect();
    if reserved.is_empty() {
        return Ok(());
    }
    Err(Error::invalid_parameter(format!(
        "Lambda was unable to configure your environment variables because the environment variables you have \
         provided contains reserved keys that are currently not supported for modification. Reserved keys used \
         in this request: {}",
        reserved.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> types::Environment {
        let map = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        types::Environment { variables: Some(map) }
    }

    #[test]
    fn reserved_variables_are_refused_by_name() {
        assert!(no_reserved_names(None).is_ok());
        assert!(no_reserved_names(Some(&variables(&[("A", "1"), ("LANG", "C")]))).is_ok());
        // The second name breaks the model's pattern as well.
        let environment = Some(variables(&[("AWS_REGION", "x"), ("_HANDLER", "y")]));
        let input = input::UpdateFunctionConfiguration { environment, ..Default::default() };
        let text = validate(&input).unwrap_err().message;
        assert!(text.ends_with("Reserved keys used in this request: AWS_REGION, _HANDLER"), "{text}");
    }

    #[test]
    fn the_reserved_names_are_in_order() {
        assert!(RESERVED_VARIABLES.is_sorted());
    }
}
