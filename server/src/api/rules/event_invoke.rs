//! Settings for asynchronous invocations as requests give them and answers show them
//! [fact:event-invoke-config].

use lambd_model::{EventInvoke, Function, FunctionId, FunctionRef, Place};
use lambd_wire::{DateTime, Error, ErrorCode, types};

use super::settings::non_empty;
use super::target_function::invalid;
use crate::app::App;

/// What a request gives; at least one of the members must be there.
#[derive(Debug)]
pub(in crate::api) struct Given {
    pub(in crate::api) retries_max: Option<i32>,
    pub(in crate::api) age_max_s: Option<i32>,
    pub(in crate::api) destinations: Option<types::DestinationConfig>,
}

impl Given {
    /// The settings after a request: what it does not give stays as it was before.
    pub(in crate::api) fn over(self, before: Option<&EventInvoke>, now_ms: i64) -> EventInvoke {
        let number = |given: Option<i32>| given.and_then(|number| u32::try_from(number).ok());
        let (on_success, on_failure) = match self.destinations {
            Some(given) => arns(given),
            None => before.map(|b| (b.on_success.clone(), b.on_failure.clone())).unwrap_or_default(),
        };
        EventInvoke {
            retries_max: number(self.retries_max).or_else(|| before?.retries_max),
            age_max_s: number(self.age_max_s).or_else(|| before?.age_max_s),
            on_success,
            on_failure,
            last_modified_ms: now_ms,
        }
    }

    /// Refuses a request that gives nothing, before anything else.
    pub(in crate::api) fn require_any(&self) -> Result<(), Error> {
        if self.retries_max.is_some() || self.age_max_s.is_some() || self.destinations.is_some() {
            return Ok(());
        }
        Err(invalid("You must specify at least one of error handling or destination setting."))
    }

    /// Refuses destinations that cannot get records of this function.
    pub(in crate::api) fn check_destinations(&self, app: &App, function: &FunctionId) -> Result<(), Error> {
        let (on_success, on_failure) = self.destinations.clone().map(arns).unwrap_or_default();
        let mut good = true;
        for (arn, is_failure) in [(&on_failure, true), (&on_success, false)] {
            if let Some(arn) = arn {
                good &= is_destination(app, function, arn, is_failure)?;
            }
        }
        if good {
            return Ok(());
        }
        let spelled = |name: &str, arn: Option<String>| {
            arn.map_or_else(|| "null".to_owned(), |arn| format!("{name}(destination={arn})"))
        };
        Err(invalid(format!(
            "The provided destination config DestinationConfig(onSuccess={}, onFailure={}) is invalid.",
            spelled("OnSuccess", on_success),
            spelled("OnFailure", on_failure)
        )))
    }
}

/// ARNs for successes and for failures; an empty one is none.
fn arns(given: types::DestinationConfig) -> (Option<String>, Option<String>) {
    let on_success = given.on_success.and_then(|target| non_empty(target.destination));
    (on_success, given.on_failure.and_then(|target| non_empty(target.destination)))
}

/// Whether an ARN is of a kind that records can be sent to [fact:event-destinations]. Of functions, those that
/// this server knows, except the function itself.
fn is_destination(app: &App, function: &FunctionId, arn: &str, is_failure: bool) -> Result<bool, Error> {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, resource) = (parts.next().unwrap_or_default(), parts.nth(2).unwrap_or_default());
    Ok(match service {
        "lambda" => return is_other_function(app, function, arn).map(|()| true),
        "sqs" | "sns" => !resource.ends_with(".fifo"),
        "events" => resource.starts_with("event-bus/"),
        "s3" => is_failure,
        _ => false,
    })
}

fn is_other_function(app: &App, function: &FunctionId, arn: &str) -> Result<(), Error> {
    let unknown = || invalid(format!("The destination ARN {arn} is invalid."));
    let named = FunctionRef::parse(arn).ok_or_else(unknown)?;
    let id = FunctionId {
        account: named.account.as_deref().ok_or_else(unknown)?.into(),
        region: named.region.as_deref().ok_or_else(unknown)?.into(),
        name: named.name,
    };
    if id == *function {
        return Err(invalid("You can't specify the function as a destination for itself."));
    }
    let has = |function: &Function| named.qualifier.as_deref().is_none_or(|q| function.has_qualifier(q));
    if app.registry.get(&id).is_some_and(|function| has(&function)) { Ok(()) } else { Err(unknown()) }
}

/// The settings as answers show them; both destinations are there, if only as `{}`.
pub(in crate::api) fn shown(
    place: &Place,
    name: &str,
    qualifier: &str,
    settings: &EventInvoke,
) -> types::FunctionEventInvokeConfig {
    let number = |number: Option<u32>| number.and_then(|number| i32::try_from(number).ok());
    types::FunctionEventInvokeConfig {
        last_modified: Some(DateTime::from_millis(settings.last_modified_ms)),
        function_arn: Some(place.qualified_arn(name, Some(qualifier))),
        maximum_retry_attempts: number(settings.retries_max),
        maximum_event_age_in_seconds: number(settings.age_max_s),
        destination_config: Some(types::DestinationConfig {
            on_success: Some(types::OnSuccess { destination: settings.on_success.clone() }),
            on_failure: Some(types::OnFailure { destination: settings.on_failure.clone() }),
        }),
    }
}

/// 404: the qualifier has none, or is none.
pub(in crate::api) fn absent(place: &Place, name: &str, qualifier: &str) -> Error {
    let arn = place.qualified_arn(name, Some(qualifier));
    let text = format!("The function {arn} doesn't have an EventInvokeConfig");
    Error::new(ErrorCode::ResourceNotFoundException, text)
}

/// 404: no such function, version or alias.
pub(in crate::api) fn no_function() -> Error {
    Error::new(ErrorCode::ResourceNotFoundException, "The function doesn't exist.")
}
