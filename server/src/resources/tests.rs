//! The collections over the store in memory, and golden files of every stored form.

use lambd_model::{CodeRef, Place, ResourceId, Sha256};
use lambd_store::{Batch, Durability, MemStore};
use uuid::Uuid;

use super::*;
use crate::testing::Limited;

const ID: &str = "csc-0123456789abcdef0";
const KEY: &str = "000000000000/us-east-1/code-signing-config/csc-0123456789abcdef0";
const GOLDEN: &str = include_str!("golden/code_signing.v1.json");
const MAPPING_ID: &str = "11111111-2222-3333-4444-555555555555";
const MAPPING: &str = include_str!("golden/event_source_mapping.v1.json");
const PROVIDER: &str = include_str!("golden/capacity_provider.v1.json");

fn place() -> Place {
    Place { region: "us-east-1".into(), account: "000000000000".into() }
}

fn id() -> ResourceId {
    place().resource(ID)
}

fn config() -> CodeSigningConfig {
    CodeSigningConfig {
        description: "Signed by us".to_owned(),
        profiles: vec!["arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij".to_owned()],
        untrusted: "Enforce".to_owned(),
        tags: [("team".to_owned(), "a".to_owned())].into(),
        last_modified_ms: 1_795_461_141_000,
    }
}

/// With every member that any source has.
fn mapping() -> EventSourceMapping {
    let text = str::to_owned;
    let secret = |name: &str| {
        (text("BASIC_AUTH"), format!("arn:aws:secretsmanager:us-east-1:000000000000:secret:{name}"))
    };
    let registry = SchemaRegistry {
        uri: Some(text("https://registry")),
        record_format: Some(text("JSON")),
        access: vec![secret("r")],
        validates: vec![text("VALUE")],
    };
    let (consumer_group, consumption_mode) = (text("mine"), Some(text("Stream")));
    EventSourceMapping {
        function: text("f"),
        qualifier: Some(text("live")),
        source_arn: Some(text("arn:aws:kafka:us-east-1:000000000000:cluster/c/u")),
        bootstrap_servers: vec![text("kafka:1000")],
        state: MappingState::Updating,
        is_enabled: true,
        batch_size: 100,
        window_s: Some(5),
        parallelization_factor: Some(2),
        starting_position: Some(text("AT_TIMESTAMP")),
        starting_position_ms: Some(1_700_000_000_000),
        filters: vec![text(r#"{"value":{"a":["x"]}}"#)],
        kms_key_arn: Some(text("arn:aws:kms:us-east-1:000000000000:key/k")),
        on_failure: Some(text("kafka://failed")),
        record_age_max_s: Some(60),
        retries_max: Some(3),
        bisects: Some(true),
        tumbling_window_s: Some(30),
        response_types: vec![text("ReportBatchItemFailures")],
        concurrency_max: Some(2),
        pollers: Some(Pollers { min: 1, max: 200, group: Some(text("g")) }),
        metrics: vec![text("EventCount")],
        log_level: Some(text("INFO")),
        topics: vec![text("topic")],
        queues: vec![text("queue")],
        access: vec![secret("s")],
        kafka: Some(Kafka { consumer_group, consumption_mode, registry: Some(registry) }),
        document_db: Some(DocumentDb {
            database: text("d"),
            collection: Some(text("c")),
            full_document: Some(text("Default")),
        }),
        tags: [(text("team"), text("a"))].into(),
        last_modified_ms: 1_795_461_141_000,
    }
}

/// With every member that a request can give.
fn provider() -> CapacityProvider {
    let text = str::to_owned;
    let tags: BTreeMap<_, _> = [(text("team"), text("a"))].into();
    CapacityProvider {
        state: ProviderState::Active,
        subnet_ids: vec![text("subnet-0")],
        security_group_ids: vec![text("sg-0")],
        operator_role: text("arn:aws:iam::000000000000:role/r"),
        requirements: Some(Requirements {
            architectures: Some(vec![text("x86_64")]),
            allowed: Some(vec![text("m7i.large")]),
            excluded: None,
        }),
        scaling: ProviderScaling {
            vcpus_max: 400,
            mode: text("Manual"),
            policies: vec![(text("LambdaCapacityProviderAverageCPUUtilization"), 50.5)],
        },
        kms_key_arn: Some(text("arn:aws:kms:us-east-1:000000000000:key/k")),
        propagated_tags: Some((text("Explicit"), tags.clone())),
        log: Some((Some(text("INFO")), Some(text("/lambda/providers")))),
        tags,
        last_modified_ms: 1_795_461_141_000,
    }
}

async fn with_row(key: &str, value: &str) -> Arc<dyn Store> {
    let store = MemStore::new();
    store.commit(Batch::new().put(Table::Account, key, value), Durability::Synced).await.unwrap();
    Arc::new(store)
}

#[tokio::test]
async fn every_stored_form_is_read_and_the_newest_written() {
    let resources = Resources::open(&with_row(KEY, GOLDEN).await).await.unwrap();
    assert_eq!(*resources.code_signing.get(&id()).unwrap(), config());
    assert_eq!(str::from_utf8(&config().encode().unwrap()).unwrap(), GOLDEN);
    let key = format!("000000000000/us-east-1/event-source-mapping/{MAPPING_ID}");
    let resources = Resources::open(&with_row(&key, MAPPING).await).await.unwrap();
    let read = resources.event_source_mappings.get(&place().resource(MAPPING_ID)).unwrap();
    assert_eq!(*read, mapping());
    let json = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).unwrap();
    assert_eq!(json(&mapping().encode().unwrap()), json(MAPPING.as_bytes()));
    let key = "000000000000/us-east-1/capacity-provider/p";
    let resources = Resources::open(&with_row(key, PROVIDER).await).await.unwrap();
    assert_eq!(*resources.capacity_providers.get(&place().resource("p")).unwrap(), provider());
    assert_eq!(json(&provider().encode().unwrap()), json(PROVIDER.as_bytes()));
}

#[tokio::test]
async fn every_stored_form_of_a_layer_is_read_and_the_newest_written() {
    let golden = include_str!("golden/layer.v1.json");
    let store = with_row("000000000000/us-east-1/layer/l", golden).await;
    let layer = Resources::open(&store).await.unwrap().layers.get(&place().resource("l")).unwrap();
    let version = LayerVersion {
        code: CodeRef { sha256: Sha256::of(b"full"), zipped_bytes: 7 },
        description: "Tools".to_owned(),
        license: Some("MIT".to_owned()),
        runtimes: Some(vec!["python3.11".to_owned()]),
        architectures: Some(vec!["x86_64".to_owned()]),
        created_ms: 1_795_461_141_000,
        policy: vec![LayerPermission {
            sid: "a".to_owned(),
            principal: "*".to_owned(),
            organization: Some("o-1234567890".to_owned()),
        }],
        policy_revision: Uuid::from_u128(9),
    };
    assert_eq!(*layer, Layer { last_number: 3, versions: [(2, version)].into() });
    assert_eq!(str::from_utf8(&layer.encode().unwrap()).unwrap(), golden);
}

#[tokio::test]
async fn rows_of_no_known_kind_are_refused() {
    for key in ["000000000000/us-east-1/unheard-of/x", "x", &format!("{KEY}/more")] {
        let error = Resources::open(&with_row(key, GOLDEN).await).await.unwrap_err().to_string();
        assert!(error.contains(key) && error.contains("does not know"), "{error}");
    }
}

#[tokio::test]
async fn a_change_is_seen_when_it_is_stored() {
    let store = Arc::new(Limited::new(MemStore::new(), 1));
    let shared: Arc<dyn Store> = Arc::<Limited>::clone(&store);
    let configs = Resources::open(&shared).await.unwrap().code_signing;
    let create = async |configs: &Collection<CodeSigningConfig>| {
        configs.change::<WriteError, _>(id(), |_| Ok(Some(config()))).await
    };
    create(&configs).await.unwrap();
    let change = |before: Option<&CodeSigningConfig>| {
        Ok(before.map(|before| CodeSigningConfig { description: "new".to_owned(), ..before.clone() }))
    };
    configs.change::<WriteError, _>(id(), change).await.unwrap_err();
    assert_eq!(configs.get(&id()).unwrap().description, "Signed by us", "the store refused the change");
    store.allow(2);
    configs.change::<WriteError, _>(id(), change).await.unwrap();
    let again = Resources::open(&shared).await.unwrap().code_signing;
    assert_eq!(again.get(&id()).unwrap().description, "new");
    assert!(configs.change::<WriteError, _>(id(), |_| Ok(None)).await.unwrap().is_none());
    assert!(configs.get(&id()).is_none());
    assert!(Resources::open(&shared).await.unwrap().code_signing.all().is_empty());
}

#[tokio::test]
async fn lists_are_of_one_account_and_region() {
    let resources = Resources::open(&with_row(KEY, GOLDEN).await).await.unwrap();
    let names = |place: &Place, after: Option<&str>| {
        let listed = resources.code_signing.list(place, after, 10);
        listed.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(names(&place(), None), [ID]);
    assert!(names(&place(), Some(ID)).is_empty());
    assert!(names(&Place { region: "eu-west-1".into(), ..place() }, None).is_empty());
    assert!(names(&Place { account: "111111111111".into(), ..place() }, None).is_empty());
}
