//! Settings of a function: rules that are not in the service model, with AWS's texts [fact:setting-texts].

use lambd_model::{LogFormat, Logging, Variables, Vpc, host_architecture};
use lambd_wire::{Error, types};

use super::target_function::invalid;
use crate::app::App;
use crate::runtimes::identifiers::{self, Standing};

/// Bounds of ordinary functions, narrower than those of the service model [fact:function-bounds].
pub(in crate::api) const MEMORY_MIB_MAX: i32 = 10_240;
const TIMEOUT_S_MAX: i32 = 900;
const EPHEMERAL_MIB_MAX: i32 = 10_240;

/// Checks the bounds of ordinary functions; the model's wider ones have been checked before.
fn bounded(value: Option<i32>, max: i32, path: &str) -> Result<Option<u32>, Error> {
    match value {
        Some(value) if value > max => Err(Error::validation(format!(
            "1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: \
             Member must have value less than or equal to {max}"
        ))),
        other => Ok(other.and_then(|value| u32::try_from(value).ok())),
    }
}

pub(in crate::api) fn memory(value: Option<i32>) -> Result<Option<u32>, Error> {
    bounded(value, MEMORY_MIB_MAX, "memorySize")
}

pub(in crate::api) fn timeout(value: Option<i32>) -> Result<Option<u32>, Error> {
    bounded(value, TIMEOUT_S_MAX, "timeout")
}

pub(in crate::api) fn ephemeral(value: Option<types::EphemeralStorage>) -> Result<Option<u32>, Error> {
    bounded(value.and_then(|storage| storage.size), EPHEMERAL_MIB_MAX, "ephemeralStorage.size")
}

/// Requires a runtime that AWS accepts, and where the configuration says so, one that is installed.
pub(in crate::api) fn runtime(app: &App, identifier: &str) -> Result<(), Error> {
    let is_installed = || match app.catalog.find(identifier) {
        Ok(found) => Ok(found.is_some()),
        Err(error) => {
            tracing::error!(
                runtime = identifier,
                error = &error as &dyn std::error::Error,
                "cannot read a runtime"
            );
            Err(crate::api::service_error("The runtime cannot be read; see the server's log."))
        }
    };
    match identifiers::standing(identifier) {
        Standing::Current { .. } if !app.config.require_installed_runtime || is_installed()? => Ok(()),
        Standing::Current { .. } => Err(invalid(identifiers::not_installed_message(identifier))),
        Standing::Deprecated => Err(invalid(identifiers::deprecated_message(identifier))),
        Standing::Unknown => Err(invalid(identifiers::unknown_message(identifier))),
    }
}

/// What an update leaves: no variables take the `Environment` away [fact:environment-shown].
pub(in crate::api) fn updated_variables(given: types::Environment) -> Option<Variables> {
    Some(variables(given)).filter(|variables| !variables.0.is_empty())
}

/// The variables as they are stored; `wire` has refused more than 4 KB.
pub(in crate::api) fn variables(given: types::Environment) -> Variables {
    Variables(given.variables.unwrap_or_default())
}

/// The architecture; where the configuration requires what can run, only the machine's own.
pub(in crate::api) fn architecture(app: &App, given: Option<Vec<String>>) -> Result<Option<String>, Error> {
    let host = host_architecture();
    match given.and_then(|list| list.into_iter().next()) {
        Some(wanted) if wanted != host && app.config.require_installed_runtime => {
            Err(invalid(format!("Architecture {wanted} cannot run on this machine, which is {host}.")))
        }
        other => Ok(other),
    }
}

/// `VpcConfig`, whose members must exist where the configuration says which do [fact:vpc-texts].
pub(in crate::api) fn vpc(app: &App, given: types::VpcConfig) -> Result<Vpc, Error> {
    let vpc = Vpc {
        subnet_ids: given.subnet_ids.unwrap_or_default(),
        security_group_ids: given.security_group_ids.unwrap_or_default(),
        ipv6_allowed: given.ipv6_allowed_for_dual_stack.unwrap_or(false),
    };
    if let Some(id) = unknown(&app.config.subnets, &vpc.subnet_ids) {
        return Err(invalid(format!(
            "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: The \
             subnet ID '{id}' does not exist"
        )));
    }
    if let Some(id) = unknown(&app.config.security_groups, &vpc.security_group_ids) {
        return Err(invalid(format!(
            "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error Message: \
             The security group '{id}' does not exist"
        )));
    }
    Ok(vpc)
}

/// The first id that is not in the list; an empty list says nothing.
fn unknown<'a>(known: &str, ids: &'a [String]) -> Option<&'a String> {
    let is_known = |id: &String| known.is_empty() || known.split(',').any(|one| one.trim() == id);
    ids.iter().find(|id| !is_known(id))
}

/// Merges `LoggingConfig` into the present settings; levels exist only with JSON [fact:logging-levels].
pub(in crate::api) fn logging(before: &Logging, given: types::LoggingConfig) -> Result<Logging, Error> {
    let format = match given.log_format.as_deref() {
        Some("JSON") => LogFormat::Json,
        Some(_) => LogFormat::Text,
        None => before.format,
    };
    let group = given.log_group.unwrap_or_else(|| before.group.clone());
    if format == LogFormat::Text {
        if given.application_log_level.is_some() || given.system_log_level.is_some() {
            return Err(invalid(
                "ApplicationLogLevel and SystemLogLevel can only be set with LogFormat JSON.",
            ));
        }
        return Ok(Logging { format, group, application_level: None, system_level: None });
    }
    let level = |new: Option<String>, old: &Option<String>| {
        new.or_else(|| old.clone()).or_else(|| Some("INFO".to_owned()))
    };
    Ok(Logging {
        format,
        group,
        application_level: level(given.application_log_level, &before.application_level),
        system_level: level(given.system_log_level, &before.system_level),
    })
}

/// `TracingConfig.Mode`, if it is given.
pub(in crate::api) fn tracing_mode(config: Option<types::TracingConfig>) -> Option<String> {
    config.and_then(|config| config.mode)
}

/// An empty text means that there is none [fact:empty-means-none].
pub(in crate::api) fn non_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Refuses a member that asks for a feature which is not supported, instead of ignoring it.
pub(in crate::api) fn refuse(asked: bool, what: &str) -> Result<(), Error> {
    if asked { Err(invalid(format!("{what} is not supported by this release of lambd."))) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_exist_only_with_json() {
        let text = Logging {
            format: LogFormat::Text,
            group: "/aws/lambda/f".to_owned(),
            application_level: None,
            system_level: None,
        };
        let json = logging(
            &text,
            types::LoggingConfig { log_format: Some("JSON".to_owned()), ..Default::default() },
        )
        .unwrap();
        assert_eq!(
            (json.application_level.as_deref(), json.system_level.as_deref()),
            (Some("INFO"), Some("INFO"))
        );
        let back = logging(
            &json,
            types::LoggingConfig { log_format: Some("Text".to_owned()), ..Default::default() },
        );
        assert_eq!(back.unwrap(), text);
    }
}
