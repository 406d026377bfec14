//! A function has one mapping of a source [fact:mapping-duplicates].

use lambd_model::Place;
use lambd_wire::{Error, ErrorCode};

use super::source::EventSource;
use crate::resources::{Collection, EventSourceMapping};

/// Refuses a mapping if another one has the same function and source. Called while no mapping can change.
pub(in crate::api) fn refuse(
    all: &Collection<EventSourceMapping>,
    place: &Place,
    uuid: &str,
    mapping: &EventSourceMapping,
) -> Result<(), Error> {
    let others = all.list(place, None, usize::MAX);
    match others.iter().find(|(other, present)| other != uuid && is_same(present, mapping)) {
        None => Ok(()),
        Some((other, _)) => {
            Err(Error::new(ErrorCode::ResourceConflictException, text(place, mapping, other)))
        }
    }
}

fn is_same(one: &EventSourceMapping, other: &EventSourceMapping) -> bool {
    let shares = |one: &[String], other: &[String]| one.iter().any(|text| other.contains(text));
    let is_source = match (&one.source_arn, &other.source_arn) {
        (Some(one), Some(other)) => one == other,
        (None, None) => shares(&one.bootstrap_servers, &other.bootstrap_servers),
        _ => false,
    };
    let is_part = |one: &[String], other: &[String]| one.is_empty() && other.is_empty() || shares(one, other);
    (&one.function, &one.qualifier) == (&other.function, &other.qualifier)
        && is_source
        && is_part(&one.topics, &other.topics)
        && is_part(&one.queues, &other.queues)
        && one.document_db == other.document_db
}

fn text(place: &Place, mapping: &EventSourceMapping, uuid: &str) -> String {
    let (source, function) = (EventSource::of(mapping), &mapping.function);
    let arn = mapping.source_arn.as_deref().unwrap_or_default();
    let remedy = format!("Please update or delete the existing mapping with UUID {uuid}");
    if source.is_kafka() {
        let servers = mapping.bootstrap_servers.join(",");
        let from = if arn.is_empty() { servers.as_str() } else { arn };
        let function = place.qualified_arn(function, mapping.qualifier.as_deref());
        let topics = mapping.topics.join(",");
        return format!(
            "An event source mapping with event source (\"{from}\"), function (\"{function}\"), topics \
             (\"{topics}\") already exists. {remedy}"
        );
    }
    if source.is_queue() {
        return format!(
            "An event source mapping with SQS arn (\" {arn} \") and function (\" {function} \") already exists. \
             {remedy}"
        );
    }
    format!(
        "The event source arn (\" {arn} \") and function (\" {function} \") provided mapping already exists. {remedy}"
    )
}
