//! CreateEventSourceMapping: answers Creating; the mapping becomes Enabled by itself. Created disabled it is Disabled
//! at once [fact:mapping-states].

use std::sync::Arc;

use lambd_model::{Place, clock};
use lambd_wire::{Error, input, output};
use uuid::Uuid;

use crate::api::Call;
use crate::api::rules::mappings::source::EventSource;
use crate::api::rules::mappings::{self, destination, duplicates, position, settings, shown};
use crate::api::rules::target_function::invalid;
use crate::api::rules::{settle, tags};
use crate::app::App;
use crate::resources::{EventSourceMapping, Kafka, MappingState};

/// Kafka read as a queue, by share groups.
const QUEUE_MODE: &str = "Queue";
/// The only kind of endpoints of Kafka that AWS does not manage.
const BOOTSTRAP_SERVERS: &str = "KAFKA_BOOTSTRAP_SERVERS";

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    (): (),
    mut input: input::CreateEventSourceMapping,
) -> Result<output::CreateEventSourceMapping, Error> {
    let own = input.self_managed_event_source.take();
    let source = EventSource::parse(input.event_source_arn.as_deref(), own.is_some());
    if own.is_some() && input.source_access_configurations.is_none() {
        return Err(missing_parameter("sourceAccessConfigurations"));
    }
    let source = source?;
    // Recorded refusals come in this order: destination, position, settings, function, source.
    if let Some(config) = input.destination_config.clone() {
        destination::on_failure(config, source)?;
    }
    let endpoints = own.and_then(|own| own.endpoints).unwrap_or_default();
    let servers = endpoints.get(BOOTSTRAP_SERVERS).cloned().unwrap_or_default();
    let id = call.place.resource(Uuid::new_v4().to_string());
    let mut mapping = begun(source, &mut input, servers, &id.name)?;
    let function = input.function_name.take();
    settings::apply(&mut mapping, source, input)?;
    require_parts(&mapping, source)?;
    (mapping.function, mapping.qualifier) =
        mappings::function(app, &call.place, function.as_deref(), source)?;
    mapping.state = if mapping.is_enabled { MappingState::Creating } else { MappingState::Disabled };
    let made = store(app, call.place.clone(), id.name.clone(), mapping).await?;
    settle::spawn::<EventSourceMapping>(app, id.clone());
    Ok(shown::shown(&call.place, &id, &made))
}

/// What is given once and for all, and the source's defaults for the rest.
fn begun(
    source: EventSource,
    input: &mut input::CreateEventSourceMapping,
    servers: Vec<String>,
    uuid: &str,
) -> Result<EventSourceMapping, Error> {
    let (position, position_ms) = position::check(
        source,
        input.event_source_arn.as_deref(),
        input.starting_position.take(),
        input.starting_position_timestamp.take(),
    )?;
    let stream = source.is_stream();
    let queue_mode = input.self_managed_kafka_event_source_config.as_ref();
    let mode = queue_mode.and_then(|config| config.consumption_mode.clone());
    let managed = input.amazon_managed_kafka_event_source_config.as_ref();
    let group = managed.map_or_else(
        || queue_mode.and_then(|config| config.consumer_group_id.clone()),
        |config| config.consumer_group_id.clone(),
    );
    let group = group.unwrap_or_else(|| uuid.to_owned());
    Ok(EventSourceMapping {
        function: String::new(),
        qualifier: None,
        source_arn: input.event_source_arn.take(),
        bootstrap_servers: servers,
        state: MappingState::Creating,
        is_enabled: true,
        batch_size: source.batch_size(),
        window_s: (stream || source.is_queue()).then_some(0),
        parallelization_factor: stream.then_some(1),
        starting_position: position,
        starting_position_ms: position_ms,
        filters: Vec::new(),
        kms_key_arn: None,
        on_failure: None,
        record_age_max_s: stream.then_some(-1),
        retries_max: match mode.as_deref() {
            Some(QUEUE_MODE) => Some(0),
            _ => stream.then_some(-1),
        },
        bisects: stream.then_some(false),
        tumbling_window_s: stream.then_some(0),
        response_types: Vec::new(),
        concurrency_max: None,
        pollers: None,
        metrics: Vec::new(),
        log_level: None,
        topics: input.topics.clone().unwrap_or_default(),
        queues: input.queues.clone().unwrap_or_default(),
        access: Vec::new(),
        kafka: source.is_kafka().then_some(Kafka {
            consumer_group: group,
            consumption_mode: mode,
            registry: None,
        }),
        document_db: None,
        tags: tags::given(input.tags.take())?,
        last_modified_ms: clock::now_ms(),
    })
}

/// What a source cannot do without.
fn require_parts(mapping: &EventSourceMapping, source: EventSource) -> Result<(), Error> {
    let is_own = source == EventSource::SelfManagedKafka;
    let (mq, docdb) = (source == EventSource::Mq, source == EventSource::DocumentDb);
    for (name, is_missing) in [
        ("selfManagedEventSource.endpoints", is_own && mapping.bootstrap_servers.is_empty()),
        ("topics", source.is_kafka() && mapping.topics.is_empty()),
        ("queues", mq && mapping.queues.is_empty()),
        ("sourceAccessConfigurations", (mq || docdb) && mapping.access.is_empty()),
        ("documentDBEventSourceConfig", docdb && mapping.document_db.is_none()),
    ] {
        if is_missing {
            return Err(missing_parameter(name));
        }
    }
    Ok(())
}

fn missing_parameter(name: &str) -> Error {
    invalid(format!("Required '{name}' parameter is missing."))
}

async fn store(
    app: &Arc<App>,
    place: Place,
    uuid: String,
    mapping: EventSourceMapping,
) -> Result<EventSourceMapping, Error> {
    let (id, made) = (place.resource(uuid.as_str()), mapping.clone());
    let all = app.resources.event_source_mappings.clone();
    let change = move |_: Option<&EventSourceMapping>| {
        duplicates::refuse(&all, &place, &uuid, &mapping)?;
        Ok::<_, Error>(Some(mapping))
    };
    app.resources.event_source_mappings.change(id, change).await?;
    Ok(made)
}

#[cfg(test)]
mod tests;
