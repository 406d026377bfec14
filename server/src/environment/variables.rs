//! Environment variables that the platform gives to a function [fact:platform-variables].

use std::collections::BTreeMap;

use lambd_auth::SessionCredentials;
use lambd_model::{LogFormat, Version};
use lambd_sandbox::RUNTIME_API;

use super::Initialization;

/// Variables that every runtime has and a function may override.
const DEFAULTS: [(&str, &str); 4] = [
    ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"),
    ("AWS_XRAY_DAEMON_ADDRESS", "169.254.100.1:2000"),
    ("_AWS_XRAY_DAEMON_ADDRESS", "169.254.100.1"),
    ("_AWS_XRAY_DAEMON_PORT", "2000"),
];

/// All variables of one environment. The later ones win: the platform's defaults, the runtime's, the
/// function's own, and last those that a function may not override.
pub(super) fn variables<'a>(
    version: &'a Version,
    runtime: impl Iterator<Item = (&'a str, &'a str)>,
    log_stream: &str,
    initialization: Initialization,
    keys: &SessionCredentials,
) -> Vec<Vec<u8>> {
    let mut all: BTreeMap<&str, String> = BTreeMap::new();
    all.extend(DEFAULTS.map(|(name, value)| (name, value.to_owned())));
    all.extend(runtime.map(|(name, value)| (name, value.to_owned())));
    if let Some(customer) = &version.configuration.variables {
        all.extend(customer.0.iter().map(|(name, value)| (name.as_str(), value.clone())));
    }
    all.extend(reserved(version, log_stream, initialization, keys));
    all.into_iter().map(|(name, value)| format!("{name}={value}").into_bytes()).collect()
}

fn reserved(
    version: &Version,
    log_stream: &str,
    initialization: Initialization,
    keys: &SessionCredentials,
) -> Vec<(&'static str, String)> {
    let (function, config) = (&version.function, &version.configuration);
    let mut all = vec![
        ("AWS_ACCESS_KEY_ID", keys.credentials.access_key_id.clone()),
        ("AWS_SECRET_ACCESS_KEY", keys.secret_access_key().to_owned()),
        ("AWS_SESSION_TOKEN", keys.session_token.clone()),
        ("AWS_REGION", function.region.to_string()),
        ("AWS_DEFAULT_REGION", function.region.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", version.qualifier.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", config.memory_mib.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", initialization.name().to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", config.logging.group.clone()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream.to_owned()),
        ("AWS_LAMBDA_RUNTIME_API", RUNTIME_API.to_owned()),
        ("LAMBDA_TASK_ROOT", "/var/task".to_owned()),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime".to_owned()),
        ("_HANDLER", config.handler.clone()),
    ];
    if config.logging.format == LogFormat::Json {
        all.push(("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()));
        all.extend(config.logging.application_level.clone().map(|level| ("AWS_LAMBDA_LOG_LEVEL", level)));
    }
    all
}

#[cfg(test)]
mod tests;
