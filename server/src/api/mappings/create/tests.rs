//! What each source's mappings have, and what is refused.

use serde_json::{Value, json};

use crate::api::testing::*;

const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:q";
const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
const TABLE: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2025-02-22T03:03:25.490";
const MSK: &str = "arn:aws:kafka:us-east-1:000000000000:cluster/c/11111111-2222-3333-4444-555555555555-1";
const BROKER: &str = "arn:aws:mq:us-east-1:000000000000:broker:b:b-1";
const CLUSTER: &str = "arn:aws:rds:us-east-1:000000000000:cluster:c";
const ACCESS: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:s";

async fn api() -> Api {
    let api = Api::new().await;
    api.create("f").await;
    api
}

fn basic() -> Value {
    json!([{ "Type": "BASIC_AUTH", "URI": ACCESS }])
}

fn own_kafka() -> Value {
    json!({
        "EventSourceArn": null, "Topics": ["topic"], "SourceAccessConfigurations": basic(),
        "SelfManagedEventSource": { "Endpoints": { "KAFKA_BOOTSTRAP_SERVERS": ["kafka:1000", "kafka:2000"] } },
    })
}

/// The request with another value of some members.
fn with(base: &Value, more: &Value) -> Value {
    let mut request = base.clone();
    for (member, value) in more.as_object().into_iter().flatten() {
        request[member] = value.clone();
    }
    request
}

/// The members with their fixed values; those that differ each time are only named.
fn members(made: &Value) -> Value {
    let mut made = made.clone();
    for member in ["UUID", "EventSourceMappingArn", "LastModified"] {
        assert!(made.as_object_mut().unwrap().remove(member).is_some(), "{member} is missing");
    }
    made
}

#[tokio::test]
async fn streams_and_queues_show_the_recorded_members() {
    let api = api().await;
    let function = "arn:aws:lambda:us-east-1:000000000000:function:f";
    let stream = api.mapping("f", json!({ "EventSourceArn": STREAM, "StartingPosition": "LATEST" })).await;
    assert_eq!(stream.status, 202);
    let want = json!({
        "BatchSize": 100, "BisectBatchOnFunctionError": false, "DestinationConfig": { "OnFailure": {} },
        "EventSourceArn": STREAM, "FunctionArn": function, "FunctionResponseTypes": [],
        "LastProcessingResult": "No records processed", "MaximumBatchingWindowInSeconds": 0,
        "MaximumRecordAgeInSeconds": -1, "MaximumRetryAttempts": -1, "ParallelizationFactor": 1,
        "StartingPosition": "LATEST", "State": "Creating", "StateTransitionReason": "User action",
        "TumblingWindowInSeconds": 0,
    });
    assert_eq!(members(&stream.ok()), want);
    let queue = api.mapping("f", Value::Null).await.ok();
    assert!(queue["LastModified"].is_number(), "{queue}");
    let uuid = queue["UUID"].as_str().unwrap();
    let arn = format!("arn:aws:lambda:us-east-1:000000000000:event-source-mapping:{uuid}");
    assert_eq!(queue["EventSourceMappingArn"], arn);
    let want = json!({
        "BatchSize": 10, "EventSourceArn": QUEUE, "FunctionArn": function, "FunctionResponseTypes": [],
        "MaximumBatchingWindowInSeconds": 0, "State": "Creating", "StateTransitionReason": "USER_INITIATED",
    });
    assert_eq!(members(&queue), want);
}

#[tokio::test]
async fn kafka_has_a_consumer_group_of_its_own() {
    let api = api().await;
    let made = api.mapping("f", own_kafka()).await.ok();
    assert_eq!(made["SelfManagedKafkaEventSourceConfig"], json!({ "ConsumerGroupId": made["UUID"] }));
    assert_eq!((&made["EventSourceArn"], &made["StartingPosition"]), (&Value::Null, &Value::Null));
    assert_eq!((&made["Topics"], &made["SourceAccessConfigurations"]), (&json!(["topic"]), &basic()));
    let group = json!({
        "EventSourceArn": MSK, "Topics": ["topic"], "StartingPosition": "AT_TIMESTAMP",
        "StartingPositionTimestamp": 1_700_000_000,
        "AmazonManagedKafkaEventSourceConfig": { "ConsumerGroupId": "mine" },
        "DestinationConfig": { "OnFailure": { "Destination": "kafka://failed" } },
    });
    let made = api.mapping("f", group).await.ok();
    assert_eq!(made["AmazonManagedKafkaEventSourceConfig"], json!({ "ConsumerGroupId": "mine" }));
    assert_eq!(made["StartingPositionTimestamp"], 1_700_000_000);
    assert_eq!(made["DestinationConfig"], json!({ "OnFailure": { "Destination": "kafka://failed" } }));
}

#[tokio::test]
async fn kafka_as_a_queue_is_not_tried_again() {
    let api = api().await;
    let mode = json!({ "SelfManagedKafkaEventSourceConfig": { "ConsumptionMode": "Queue" } });
    let made = api.mapping("f", with(&own_kafka(), &mode)).await.ok();
    assert_eq!(made["MaximumRetryAttempts"], 0);
    assert_eq!(made["SelfManagedKafkaEventSourceConfig"]["ConsumptionMode"], "Queue");
}

#[tokio::test]
async fn a_function_of_a_broker_must_not_run_too_long() {
    let api = Api::new().await;
    let mut long = function("f");
    long["Timeout"] = json!(841);
    api.call("POST", "/2015-03-31/functions", long).await.ok();
    api.settled("f").await;
    let broker = json!({ "EventSourceArn": BROKER, "Queues": ["q"], "SourceAccessConfigurations": basic() });
    let (status, _, text) = api.mapping("f", broker.clone()).await.refused();
    assert!(status == 400 && text.contains("at most 840 seconds"), "{text}");
    api.mapping("f", Value::Null).await.ok();
    let shorter = json!({ "Timeout": 840 });
    api.call("PUT", "/2015-03-31/functions/f/configuration", shorter).await.ok();
    api.mapping("f", broker).await.ok();
}

#[tokio::test]
async fn brokers_and_databases_have_what_they_need() {
    let api = api().await;
    let broker = json!({
        "EventSourceArn": BROKER, "Queues": ["queue"], "SourceAccessConfigurations": basic(), "BatchSize": 500,
    });
    assert_eq!(api.mapping("f", broker).await.ok()["Queues"], json!(["queue"]));
    let source = json!({ "DatabaseName": "d", "CollectionName": "c", "FullDocument": "UpdateLookup" });
    let cluster = json!({
        "EventSourceArn": CLUSTER, "StartingPosition": "LATEST", "SourceAccessConfigurations": basic(),
        "DocumentDBEventSourceConfig": source,
    });
    assert_eq!(api.mapping("f", cluster).await.ok()["DocumentDBEventSourceConfig"], source);
}

fn unsupported(name: &str) -> String {
    format!("Unsupported {name} parameter for given event source mapping type.")
}

fn on_failure(destination: &str) -> Value {
    json!({ "DestinationConfig": { "OnFailure": { "Destination": destination } } })
}

/// Each request is the base with other members; nothing is made of it.
async fn refused(api: &Api, base: Value, cases: &[(Value, &str)]) {
    for (more, text) in cases {
        let (status, code, message) = api.mapping("f", with(&base, more)).await.refused();
        assert_eq!((status, code.as_str()), (400, "InvalidParameterValueException"), "{more} {message}");
        assert!(message.contains(text), "{more}: {message}");
    }
    let listed = api.call("GET", "/2015-03-31/event-source-mappings", Value::Null).await.ok();
    assert_eq!(listed["EventSourceMappings"], json!([]));
}

#[tokio::test]
async fn a_source_and_a_function_must_be_known() {
    let cases = [
        (json!({ "EventSourceArn": null }), "Unrecognized event source."),
        (json!({ "EventSourceArn": "arn:aws:s3:::bucket" }), "Unrecognized event source."),
        (json!({ "FunctionName": "absent" }), "Function does not exist"),
        (json!({ "FunctionName": "f:77" }), "Function does not exist"),
    ];
    refused(&api().await, json!({}), &cases).await;
}

#[tokio::test]
async fn what_a_queue_does_not_have_is_refused() {
    let window =
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10";
    let (pollers, few) = (json!({ "MinimumPollers": 2 }), json!({ "MinimumPollers": 1 }));
    let both = json!({ "ProvisionedPollerConfig": pollers, "ScalingConfig": { "MaximumConcurrency": 2 } });
    let position = format!("Unsupported starting position for arn type: {QUEUE}");
    let fifo = format!("{QUEUE}.fifo");
    let cases = [
        (json!({ "BatchSize": 11 }), window),
        (json!({ "StartingPosition": "LATEST" }), &position),
        (on_failure(QUEUE), &unsupported("DestinationConfig")),
        (json!({ "ParallelizationFactor": 2 }), &unsupported("ParallelizationFactor")),
        (json!({ "MaximumRetryAttempts": 1 }), &unsupported("MaximumRetryAttempts")),
        (json!({ "Topics": ["tt"] }), &unsupported("Topics")),
        (json!({ "ProvisionedPollerConfig": few }), "from 2 to 10000"),
        (both, "cannot be used together"),
        (
            json!({ "FilterCriteria": { "Filters": [{ "Pattern": "{" }] } }),
            "Invalid filter pattern definition.",
        ),
        (json!({ "EventSourceArn": fifo, "BatchSize": 11 }), "at most 10"),
        (json!({ "EventSourceArn": fifo, "MaximumBatchingWindowInSeconds": 1 }), "not supported for FIFO"),
    ];
    refused(&api().await, json!({}), &cases).await;
}

#[tokio::test]
async fn what_a_stream_does_not_have_is_refused() {
    let null = "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member \
                must not be null.";
    let timed =
        json!({ "StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 99_999_999_999_i64 });
    let table = json!({
        "EventSourceArn": TABLE, "StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1,
    });
    let of_table = format!("Unsupported starting position for arn type: {TABLE}");
    let cases = [
        (json!({ "StartingPosition": null }), null),
        (json!({ "StartingPosition": "AT_TIMESTAMP" }), "needs StartingPositionTimestamp"),
        (json!({ "StartingPositionTimestamp": 1 }), "only for StartingPosition AT_TIMESTAMP"),
        (timed, "in the future"),
        (table, &of_table),
        (json!({ "ScalingConfig": { "MaximumConcurrency": 2 } }), &unsupported("ScalingConfig")),
        (on_failure("kafka://topic"), &unsupported("DestinationConfig")),
        (json!({ "DestinationConfig": { "OnSuccess": {} } }), &unsupported("DestinationConfig")),
        (json!({ "MaximumRecordAgeInSeconds": 59 }), "at least 60"),
    ];
    let stream = json!({ "EventSourceArn": STREAM, "StartingPosition": "LATEST" });
    refused(&api().await, stream, &cases).await;
}

#[tokio::test]
async fn what_kafka_does_not_have_is_refused() {
    let queue_mode = json!({
        "SelfManagedKafkaEventSourceConfig": { "ConsumptionMode": "Queue" }, "StartingPosition": "LATEST",
    });
    let registry = json!({
        "SelfManagedKafkaEventSourceConfig": { "SchemaRegistryConfig": { "SchemaRegistryURI": "https://registry" } },
    });
    let cases = [
        (
            json!({ "SourceAccessConfigurations": null }),
            "Required 'sourceAccessConfigurations' parameter is missing.",
        ),
        (json!({ "Topics": null }), "Required 'topics' parameter is missing."),
        (queue_mode, "cannot be used with ConsumptionMode Queue"),
        (registry, "SchemaRegistryConfig needs ProvisionedPollerConfig."),
        (json!({ "TumblingWindowInSeconds": 1 }), &unsupported("TumblingWindowInSeconds")),
    ];
    refused(&api().await, own_kafka(), &cases).await;
}

#[tokio::test]
async fn bounds_of_the_model_are_checked_first() {
    let api = api().await;
    for more in [
        json!({ "BatchSize": 0 }),
        json!({ "BatchSize": 10_001 }),
        json!({ "MaximumBatchingWindowInSeconds": 301 }),
        json!({ "ScalingConfig": { "MaximumConcurrency": 1 } }),
        json!({ "StartingPosition": "FIRST" }),
    ] {
        assert_eq!(api.mapping("f", more.clone()).await.refused().1, "ValidationException", "{more}");
    }
}

#[tokio::test]
async fn a_function_has_one_mapping_of_a_source() {
    let api = api().await;
    let function = "arn:aws:lambda:us-east-1:000000000000:function:f";
    for (request, text) in [
        (
            json!({}),
            format!(
                "An event source mapping with SQS arn (\" {QUEUE} \") and function (\" f \") already exists."
            ),
        ),
        (
            json!({ "EventSourceArn": STREAM, "StartingPosition": "LATEST" }),
            format!(
                "The event source arn (\" {STREAM} \") and function (\" f \") provided mapping already exists."
            ),
        ),
        (
            own_kafka(),
            format!(
                "An event source mapping with event source (\"kafka:1000,kafka:2000\"), function (\"{function}\"), \
                 topics (\"topic\") already exists."
            ),
        ),
    ] {
        let made = api.mapping("f", request.clone()).await.ok();
        let (status, code, message) = api.mapping("f", request).await.refused();
        assert_eq!((status, code.as_str()), (409, "ResourceConflictException"));
        let remedy = "Please update or delete the existing mapping with UUID";
        assert_eq!(message, format!("{text} {remedy} {}", made["UUID"].as_str().unwrap()));
    }
    let part =
        json!({ "SelfManagedEventSource": { "Endpoints": { "KAFKA_BOOTSTRAP_SERVERS": ["kafka:1000"] } } });
    let shared = api.mapping("f", with(&own_kafka(), &part)).await.refused();
    assert_eq!(shared.0, 409, "one server is enough");
    api.mapping("f", with(&own_kafka(), &json!({ "Topics": ["other"] }))).await.ok();
    api.mapping("f:$LATEST", Value::Null).await.ok();
}
