//! Event source mappings: which sources there are, what each may have, and how a mapping is shown and settles
//! [fact:mapping-parameters].

pub(in crate::api) mod destination;
pub(in crate::api) mod duplicates;
pub(in crate::api) mod filters;
pub(in crate::api) mod position;
pub(in crate::api) mod settings;
pub(in crate::api) mod shown;
pub(in crate::api) mod source;

use lambd_model::Place;
use lambd_wire::{Error, ErrorCode};

use source::EventSource;

use super::target_function::{TargetFunction, invalid};
use crate::app::App;

/// Longest timeout of a function that gets events of Kafka, MQ or DocumentDB, seconds [fact:mapping-parameters].
const TIMEOUT_S_MAX: u32 = 840;

/// 400 for a mapping whose last change has not settled; `what` is `update` or `delete`.
pub(in crate::api) fn in_use(what: &str) -> Error {
    Error::new(
        ErrorCode::ResourceInUseException,
        format!("Cannot {what} the event source mapping because it is in use."),
    )
}

/// The function that a mapping is to invoke: it must exist, with its qualifier, and its timeout must leave brokers and
/// databases the time to answer.
pub(in crate::api) fn function(
    app: &App,
    place: &Place,
    name: Option<&str>,
    source: EventSource,
) -> Result<(String, Option<String>), Error> {
    let target = TargetFunction::parse(place, name, None)?;
    let (_, version) = target.find(app, place).map_err(|_| invalid("Function does not exist"))?;
    let is_short =
        source.is_stream() || source.is_queue() || version.configuration.timeout_s <= TIMEOUT_S_MAX;
    if !is_short {
        return Err(invalid(format!(
            "The timeout of a function with this event source must be at most {TIMEOUT_S_MAX} seconds."
        )));
    }
    Ok((target.id.name.clone(), target.qualifier))
}
