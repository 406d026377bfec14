//! The settings of a mapping: what a request gives over what the source's mappings have by default. The members of
//! an update are those of a creation.

use lambd_wire::{Error, input, types};

use super::source::EventSource;
use super::{destination, filters};
use crate::api::rules::settings::non_empty;
use crate::api::rules::target_function::invalid;
use crate::resources::{DocumentDb, EventSourceMapping, Kafka, Pollers, SchemaRegistry};

/// The shortest age at which a record can be discarded, seconds.
const RECORD_AGE_S_MIN: i32 = 60;

/// Takes the given settings over and checks the result. A setting that the source does not have is refused, unless
/// it is the one that means nothing: deployment tools send those.
pub(in crate::api) fn apply(
    mapping: &mut EventSourceMapping,
    source: EventSource,
    given: input::CreateEventSourceMapping,
) -> Result<(), Error> {
    refuse_foreign(source, &given)?;
    let (stream, kafka) = (source.is_stream(), source.is_kafka());
    fn set<T>(member: &mut Option<T>, given: Option<T>, has: bool) {
        if has && given.is_some() {
            *member = given;
        }
    }
    set(&mut mapping.window_s, given.maximum_batching_window_in_seconds, true);
    set(&mut mapping.parallelization_factor, given.parallelization_factor, stream);
    set(&mut mapping.record_age_max_s, given.maximum_record_age_in_seconds, stream || kafka);
    set(&mut mapping.retries_max, given.maximum_retry_attempts, stream || kafka);
    set(&mut mapping.bisects, given.bisect_batch_on_function_error, stream || kafka);
    set(&mut mapping.tumbling_window_s, given.tumbling_window_in_seconds, stream);
    mapping.batch_size = given.batch_size.unwrap_or(mapping.batch_size);
    mapping.is_enabled = given.enabled.unwrap_or(mapping.is_enabled);
    if let Some(criteria) = given.filter_criteria {
        mapping.filters = filters::patterns(criteria)?;
    }
    if let Some(key) = given.kms_key_arn {
        mapping.kms_key_arn = non_empty(Some(key));
    }
    if let Some(config) = given.destination_config {
        mapping.on_failure = destination::on_failure(config, source)?;
    }
    if let Some(types) = given.function_response_types {
        mapping.response_types = types;
    }
    if let Some(scaling) = given.scaling_config {
        mapping.concurrency_max = scaling.maximum_concurrency;
    }
    if let Some(pollers) = given.provisioned_poller_config {
        mapping.pollers = self::pollers(pollers, source)?;
    }
    if let Some(metrics) = given.metrics_config {
        mapping.metrics = metrics.metrics.unwrap_or_default();
    }
    if let Some(logging) = given.logging_config {
        mapping.log_level = logging.system_log_level;
    }
    if let Some(access) = given.source_access_configurations {
        mapping.access = access.into_iter().map(access_pair).collect();
    }
    let managed = given.amazon_managed_kafka_event_source_config;
    let group = managed.map(|c| (c.consumer_group_id, None, c.schema_registry_config));
    let own = given.self_managed_kafka_event_source_config;
    let own = own.map(|c| (c.consumer_group_id, c.consumption_mode, c.schema_registry_config));
    if let (Some(kafka), Some((group, mode, registry))) = (&mut mapping.kafka, group.or(own)) {
        merge_kafka(kafka, group.as_deref(), mode.as_deref(), registry)?;
    }
    if let Some(document_db) = given.document_db_event_source_config {
        mapping.document_db = self::document_db(document_db)?;
    }
    check(mapping, source)
}

fn refuse_foreign(source: EventSource, given: &input::CreateEventSourceMapping) -> Result<(), Error> {
    let (stream, kafka, queue) = (source.is_stream(), source.is_kafka(), source.is_queue());
    let (mq, docdb) = (source == EventSource::Mq, source == EventSource::DocumentDb);
    let is_other = |value: Option<i32>, neutral: i32| value.is_some_and(|value| value != neutral);
    let has_any = |list: Option<usize>| list.is_some_and(|len| len > 0);
    let filters = given.filter_criteria.as_ref().and_then(|c| c.filters.as_ref()).map(Vec::len);
    let concurrency = given.scaling_config.as_ref().and_then(|c| c.maximum_concurrency);
    let pollers = given
        .provisioned_poller_config
        .as_ref()
        .is_some_and(|c| *c != types::ProvisionedPollerConfig::default());
    let is_own_kafka = source == EventSource::SelfManagedKafka;
    for (name, is_asked, has) in [
        ("ParallelizationFactor", is_other(given.parallelization_factor, 1), stream),
        ("MaximumRecordAgeInSeconds", is_other(given.maximum_record_age_in_seconds, -1), stream || kafka),
        ("MaximumRetryAttempts", is_other(given.maximum_retry_attempts, -1), stream || kafka),
        ("BisectBatchOnFunctionError", given.bisect_batch_on_function_error == Some(true), stream || kafka),
        ("TumblingWindowInSeconds", is_other(given.tumbling_window_in_seconds, 0), stream),
        (
            "FunctionResponseTypes",
            has_any(given.function_response_types.as_ref().map(Vec::len)),
            !mq && !docdb,
        ),
        ("FilterCriteria", has_any(filters), !docdb),
        ("ScalingConfig", concurrency.is_some(), queue),
        ("ProvisionedPollerConfig", pollers, queue || kafka),
        ("LoggingConfig", given.logging_config.as_ref().is_some_and(|c| c.system_log_level.is_some()), kafka),
        ("Topics", given.topics.is_some(), kafka),
        ("Queues", given.queues.is_some(), mq),
        (
            "SourceAccessConfigurations",
            has_any(given.source_access_configurations.as_ref().map(Vec::len)),
            kafka || mq || docdb,
        ),
        (
            "AmazonManagedKafkaEventSourceConfig",
            given.amazon_managed_kafka_event_source_config.is_some(),
            source == EventSource::Msk,
        ),
        (
            "SelfManagedKafkaEventSourceConfig",
            given.self_managed_kafka_event_source_config.is_some(),
            is_own_kafka,
        ),
        ("DocumentDBEventSourceConfig", given.document_db_event_source_config.is_some(), docdb),
    ] {
        if is_asked && !has {
            return Err(invalid(format!(
                "Unsupported {name} parameter for given event source mapping type."
            )));
        }
    }
    Ok(())
}

/// What depends on several settings.
fn check(mapping: &EventSourceMapping, source: EventSource) -> Result<(), Error> {
    let max = source.batch_size_max();
    if mapping.batch_size > max {
        return Err(invalid(format!("BatchSize of this event source must be at most {max}.")));
    }
    if source == EventSource::Sqs && mapping.batch_size > 10 && mapping.window_s.unwrap_or(0) == 0 {
        return Err(invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ));
    }
    if source == EventSource::SqsFifo && mapping.window_s.unwrap_or(0) > 0 {
        return Err(invalid("Batching window is not supported for FIFO queues"));
    }
    if mapping.record_age_max_s.is_some_and(|age| (0..RECORD_AGE_S_MIN).contains(&age)) {
        return Err(invalid(format!("MaximumRecordAgeInSeconds must be -1 or at least {RECORD_AGE_S_MIN}.")));
    }
    if mapping.concurrency_max.is_some() && mapping.pollers.is_some() {
        return Err(invalid("ScalingConfig and ProvisionedPollerConfig cannot be used together."));
    }
    let Some(kafka) = &mapping.kafka else { return Ok(()) };
    if kafka.registry.is_some() && mapping.pollers.is_none() {
        return Err(invalid("SchemaRegistryConfig needs ProvisionedPollerConfig."));
    }
    if kafka.consumption_mode.as_deref() == Some("Queue") {
        if mapping.starting_position.is_some() || mapping.window_s.is_some() {
            return Err(invalid(
                "StartingPosition and MaximumBatchingWindowInSeconds cannot be used with ConsumptionMode Queue.",
            ));
        }
        if mapping.retries_max == Some(-1) {
            return Err(invalid("MaximumRetryAttempts must not be -1 with ConsumptionMode Queue."));
        }
    }
    Ok(())
}

/// The pollers with the bounds of the source; an empty structure removes them.
fn pollers(given: types::ProvisionedPollerConfig, source: EventSource) -> Result<Option<Pollers>, Error> {
    if given == types::ProvisionedPollerConfig::default() {
        return Ok(None);
    }
    let (lowest, highest) = source.poller_bounds();
    let min = given.minimum_pollers.unwrap_or(lowest);
    let max = given.maximum_pollers.unwrap_or_else(|| min.max(200));
    if min < lowest || max < min || max > highest {
        return Err(invalid(format!(
            "MinimumPollers and MaximumPollers must be from {lowest} to {highest} and in this order."
        )));
    }
    Ok(Some(Pollers { min, max, group: non_empty(given.poller_group_name) }))
}

/// The consumer group and the mode are those of the creation.
fn merge_kafka(
    kafka: &mut Kafka,
    group: Option<&str>,
    mode: Option<&str>,
    registry: Option<types::KafkaSchemaRegistryConfig>,
) -> Result<(), Error> {
    if group.is_some_and(|group| group != kafka.consumer_group) {
        return Err(invalid("ConsumerGroupId cannot be changed."));
    }
    if mode.is_some() && mode != kafka.consumption_mode.as_deref() {
        return Err(invalid("ConsumptionMode cannot be changed."));
    }
    if let Some(registry) = registry {
        kafka.registry =
            (registry != types::KafkaSchemaRegistryConfig::default()).then(|| self::registry(registry));
    }
    Ok(())
}

fn registry(given: types::KafkaSchemaRegistryConfig) -> SchemaRegistry {
    let access = given.access_configs.unwrap_or_default().into_iter();
    let validates = given.schema_validation_configs.unwrap_or_default().into_iter();
    SchemaRegistry {
        uri: given.schema_registry_uri,
        record_format: given.event_record_format,
        access: access.map(|one| (one.r#type.unwrap_or_default(), one.uri.unwrap_or_default())).collect(),
        validates: validates.filter_map(|one| one.attribute).collect(),
    }
}

fn document_db(given: types::DocumentDBEventSourceConfig) -> Result<Option<DocumentDb>, Error> {
    let database =
        given.database_name.ok_or_else(|| invalid("Required 'databaseName' parameter is missing."))?;
    Ok(Some(DocumentDb { database, collection: given.collection_name, full_document: given.full_document }))
}

fn access_pair(given: types::SourceAccessConfiguration) -> (String, String) {
    (given.r#type.unwrap_or_default(), given.uri.unwrap_or_default())
}
