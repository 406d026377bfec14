//! A mapping as the API shows it [fact:mapping-members].

use std::collections::BTreeMap;

use lambd_model::{Place, ResourceId};
use lambd_wire::{DateTime, types};

use super::source::EventSource;
use crate::resources::{EventSourceMapping, Kafka, MappingState, Pollers, Resource as _, SchemaRegistry};

/// Everything that the source's mappings show.
pub(in crate::api) fn shown(
    place: &Place,
    id: &ResourceId,
    mapping: &EventSourceMapping,
) -> types::EventSourceMappingConfiguration {
    let source = EventSource::of(mapping);
    let kafka = mapping.kafka.as_ref();
    let managed = kafka.filter(|_| source == EventSource::Msk);
    let own = kafka.filter(|_| source == EventSource::SelfManagedKafka);
    types::EventSourceMappingConfiguration {
        uuid: Some(id.name.clone()),
        event_source_mapping_arn: Some(id.arn(EventSourceMapping::SEGMENT)),
        function_arn: Some(place.qualified_arn(&mapping.function, mapping.qualifier.as_deref())),
        event_source_arn: mapping.source_arn.clone(),
        state: Some(state(mapping.state).to_owned()),
        state_transition_reason: Some(
            if source.is_stream() { "User action" } else { "USER_INITIATED" }.to_owned(),
        ),
        last_modified: Some(DateTime::from_millis(mapping.last_modified_ms)),
        last_processing_result: has_result(source).then(|| "No records processed".to_owned()),
        batch_size: Some(mapping.batch_size),
        maximum_batching_window_in_seconds: mapping.window_s,
        parallelization_factor: mapping.parallelization_factor,
        starting_position: mapping.starting_position.clone(),
        starting_position_timestamp: mapping.starting_position_ms.map(DateTime::from_millis),
        filter_criteria: filters(&mapping.filters),
        kms_key_arn: mapping.kms_key_arn.clone(),
        destination_config: destination(mapping, source),
        maximum_record_age_in_seconds: mapping.record_age_max_s,
        maximum_retry_attempts: mapping.retries_max,
        bisect_batch_on_function_error: mapping.bisects,
        tumbling_window_in_seconds: mapping.tumbling_window_s,
        function_response_types: has_response_types(source).then(|| mapping.response_types.clone()),
        scaling_config: mapping
            .concurrency_max
            .map(|max| types::ScalingConfig { maximum_concurrency: Some(max) }),
        provisioned_poller_config: mapping.pollers.as_ref().map(pollers),
        metrics_config: list(&mapping.metrics)
            .map(|metrics| types::EventSourceMappingMetricsConfig { metrics: Some(metrics) }),
        logging_config: mapping
            .log_level
            .clone()
            .map(|level| types::EventSourceMappingLoggingConfig { system_log_level: Some(level) }),
        topics: list(&mapping.topics),
        queues: list(&mapping.queues),
        source_access_configurations: access(&mapping.access),
        self_managed_event_source: list(&mapping.bootstrap_servers).map(|servers| {
            let endpoints = BTreeMap::from([("KAFKA_BOOTSTRAP_SERVERS".to_owned(), servers)]);
            types::SelfManagedEventSource { endpoints: Some(endpoints) }
        }),
        amazon_managed_kafka_event_source_config: managed.map(|kafka| {
            types::AmazonManagedKafkaEventSourceConfig {
                consumer_group_id: Some(kafka.consumer_group.clone()),
                schema_registry_config: registry(kafka),
            }
        }),
        self_managed_kafka_event_source_config: own.map(|kafka| types::SelfManagedKafkaEventSourceConfig {
            consumer_group_id: Some(kafka.consumer_group.clone()),
            schema_registry_config: registry(kafka),
            consumption_mode: kafka.consumption_mode.clone(),
        }),
        document_db_event_source_config: mapping.document_db.as_ref().map(|found| {
            types::DocumentDBEventSourceConfig {
                database_name: Some(found.database.clone()),
                collection_name: found.collection.clone(),
                full_document: found.full_document.clone(),
            }
        }),
        filter_criteria_error: None,
    }
}

const fn state(state: MappingState) -> &'static str {
    match state {
        MappingState::Creating => "Creating",
        MappingState::Enabling => "Enabling",
        MappingState::Enabled => "Enabled",
        MappingState::Disabling => "Disabling",
        MappingState::Disabled => "Disabled",
        MappingState::Updating => "Updating",
        MappingState::Deleting => "Deleting",
    }
}

/// Nothing polls, so this result stays the first one.
fn has_result(source: EventSource) -> bool {
    !source.is_queue() && source != EventSource::SelfManagedKafka
}

fn has_response_types(source: EventSource) -> bool {
    !matches!(source, EventSource::Mq | EventSource::DocumentDb)
}

/// An empty list is shown as none.
fn list(list: &[String]) -> Option<Vec<String>> {
    (!list.is_empty()).then(|| list.to_vec())
}

fn filters(patterns: &[String]) -> Option<types::FilterCriteria> {
    let filters = patterns.iter().map(|pattern| types::Filter { pattern: Some(pattern.clone()) });
    (!patterns.is_empty()).then(|| types::FilterCriteria { filters: Some(filters.collect()) })
}

/// Streams show that they have no destination.
fn destination(mapping: &EventSourceMapping, source: EventSource) -> Option<types::DestinationConfig> {
    let on_failure = types::OnFailure { destination: mapping.on_failure.clone() };
    (source.is_stream() || mapping.on_failure.is_some())
        .then(|| types::DestinationConfig { on_failure: Some(on_failure), ..Default::default() })
}

fn pollers(pollers: &Pollers) -> types::ProvisionedPollerConfig {
    types::ProvisionedPollerConfig {
        minimum_pollers: Some(pollers.min),
        maximum_pollers: Some(pollers.max),
        poller_group_name: pollers.group.clone(),
    }
}

fn access(pairs: &[(String, String)]) -> Option<Vec<types::SourceAccessConfiguration>> {
    let shown = pairs.iter().map(|(kind, uri)| types::SourceAccessConfiguration {
        r#type: Some(kind.clone()),
        uri: Some(uri.clone()),
    });
    (!pairs.is_empty()).then(|| shown.collect())
}

fn registry(kafka: &Kafka) -> Option<types::KafkaSchemaRegistryConfig> {
    let SchemaRegistry { uri, record_format, access, validates } = kafka.registry.as_ref()?;
    let access = access.iter().map(|(kind, uri)| types::KafkaSchemaRegistryAccessConfig {
        r#type: Some(kind.clone()),
        uri: Some(uri.clone()),
    });
    let validates = validates
        .iter()
        .map(|attribute| types::KafkaSchemaValidationConfig { attribute: Some(attribute.clone()) });
    Some(types::KafkaSchemaRegistryConfig {
        schema_registry_uri: uri.clone(),
        event_record_format: record_format.clone(),
        access_configs: Some(access.collect()),
        schema_validation_configs: Some(validates.collect()),
    })
}
