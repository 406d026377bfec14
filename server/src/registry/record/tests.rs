//! Golden files of each version of the stored form, all of which must be readable.

mod attached;

use std::sync::Arc;

use lambd_model::{
    Alias, CapacityProviderRef, CodeRef, Configuration, Durable, FileSystem, Image, ImageConfig, LayerRef,
    LogFormat, Logging, Principal, PublishedVersion, Sha256, Statement, Variables, Vpc,
};
use lambd_store::{Batch, Durability, MemStore};
use serde_json::Value;

use super::*;
use crate::registry::testing::{Limited, configuration, of};

const ACCOUNT: &str = "000000000000";
/// Keys and values as the first release wrote them.
const FULL_1: (&str, &str) = ("eu-west-1/full", include_str!("golden/full.v1.json"));
const PLAIN_1: (&str, &str) = ("us-east-1/plain", include_str!("golden/plain.v1.json"));
const FULL_2: (&str, &str) = ("000000000000/eu-west-1/function/full", include_str!("golden/full.v2.json"));
const PLAIN_2: (&str, &str) = ("000000000000/us-east-1/function/plain", include_str!("golden/plain.v2.json"));
const FULL_3: (&str, &str) = (FULL_2.0, include_str!("golden/full.v3.json"));
const PLAIN_3: (&str, &str) = (PLAIN_2.0, include_str!("golden/plain.v3.json"));
const FULL_4: (&str, &str) = (FULL_2.0, include_str!("golden/full.v4.json"));
const PLAIN_4: (&str, &str) = (PLAIN_2.0, include_str!("golden/plain.v4.json"));
const PARTS_4: (&str, &str) = ("000000000000/us-east-1/function/parts", include_str!("golden/parts.v4.json"));
const VERSION_2: (&str, &str) = (VERSION_1.0, include_str!("golden/version.v2.json"));
const VERSION_1: (&str, &str) =
    ("000000000000/eu-west-1/version/full/00000000000000000002", include_str!("golden/version.v1.json"));
const ALIAS_1: (&str, &str) =
    ("000000000000/eu-west-1/alias/full/live", include_str!("golden/alias.v1.json"));
const POLICY_1: (&str, &str) =
    ("000000000000/eu-west-1/policy/full/$LATEST", include_str!("golden/policy.v1.json"));

fn function(region: &str, name: &str, generation: Uuid, configuration: Configuration) -> Function {
    let id = Arc::new(FunctionId { account: ACCOUNT.into(), region: region.into(), name: name.to_owned() });
    let latest = Version {
        function: Arc::clone(&id),
        qualifier: LATEST.to_owned(),
        configuration: Arc::new(configuration),
        generation,
    };
    Function {
        latest: Arc::new(latest),
        revision_id: Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
        ..of(&id)
    }
}

/// A function without any optional member.
fn plain() -> Function {
    let configuration = Configuration {
        handler: "bootstrap".to_owned(),
        code: CodeRef { sha256: Sha256::of(b"plain"), zipped_bytes: 5 },
        last_modified_ms: 1_795_461_141_000,
        ..configuration("plain")
    };
    function("us-east-1", "plain", Uuid::from_u128(1), configuration)
}

/// A function with all members.
fn full() -> Function {
    let variables = [("LANG", "C"), ("SECRET", "\"ä\"")].map(|(name, value)| (name.into(), value.into()));
    let configuration = Configuration {
        runtime: "python3.11".to_owned(),
        handler: "app.handler".to_owned(),
        description: "Says hello".to_owned(),
        timeout_s: 900,
        memory_mib: 10_240,
        ephemeral_mib: 10_240,
        variables: Some(Variables(variables.into())),
        code: CodeRef { sha256: Sha256::of(b"full"), zipped_bytes: 52_428_800 },
        tracing_mode: "Active".to_owned(),
        logging: Logging {
            format: LogFormat::Json,
            group: "mine".to_owned(),
            application_level: Some("DEBUG".to_owned()),
            system_level: Some("WARN".to_owned()),
        },
        vpc: Some(Vpc {
            subnet_ids: vec!["subnet-1".to_owned()],
            security_group_ids: vec!["sg-1".to_owned(), "sg-2".to_owned()],
            ipv6_allowed: true,
        }),
        dead_letter_arn: Some("arn:aws:sqs:eu-west-1:000000000000:q".to_owned()),
        kms_key_arn: Some("arn:aws:kms:eu-west-1:000000000000:key/k".to_owned()),
        snap_start: "PublishedVersions".to_owned(),
        ..(*plain().latest.configuration).clone()
    };
    Function {
        state: FunctionState::Active,
        last_update: Some(LastUpdate::InProgress),
        tags: [("team".to_owned(), "a".to_owned()), ("x".to_owned(), String::new())].into(),
        reserved_concurrency: Some(7),
        ..function("eu-west-1", "full", Uuid::from_u128(2), configuration)
    }
}

/// A function with the parts that were added in version 4.
fn with_parts() -> Function {
    let configuration = Configuration {
        layers: vec![LayerRef {
            arn: "arn:aws:lambda:us-east-1:000000000000:layer:l:1".to_owned(),
            code: CodeRef { sha256: Sha256::of(b"layer"), zipped_bytes: 7 },
        }],
        file_systems: vec![FileSystem {
            arn: "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-1".to_owned(),
            local_mount_path: "/mnt/a".to_owned(),
        }],
        image: Some(Box::new(Image {
            uri: "000000000000.dkr.ecr.us-east-1.amazonaws.com/r:t".to_owned(),
            config: ImageConfig {
                entry_point: vec!["/e".to_owned()],
                command: vec!["a.b".to_owned()],
                working_directory: Some("/w".to_owned()),
            },
        })),
        durable: Some(Box::new(Durable { execution_timeout_s: 60, retention_days: 14, kms_key_arn: None })),
        tenant_isolation: Some("PER_TENANT".to_owned()),
        capacity_provider: Some(Box::new(CapacityProviderRef {
            arn: "arn:aws:lambda:us-east-1:000000000000:capacity-provider:c".to_owned(),
            max_concurrency: Some(10),
            memory_gib_per_vcpu: Some(2.0),
        })),
        ..(*plain().latest.configuration).clone()
    };
    function("us-east-1", "parts", Uuid::from_u128(1), configuration)
}

async fn holding(rows: &[(&str, &str)]) -> MemStore {
    let store = MemStore::new();
    let batch = rows
        .iter()
        .fold(Batch::new(), |batch, (key, value)| batch.put(Table::Functions, *key, value.trim_end()));
    store.commit(batch, Durability::Synced).await.unwrap();
    store
}

async fn rows(store: &MemStore) -> Vec<(String, Value)> {
    let rows = store.range(Table::Functions, &Range::all()).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    rows.into_iter().map(|row| (text(row.key), serde_json::from_slice(&row.value).unwrap())).collect()
}

fn parsed(rows: &[(&str, &str)]) -> Vec<(String, Value)> {
    rows.iter().map(|(key, value)| ((*key).to_owned(), serde_json::from_str(value).unwrap())).collect()
}

#[tokio::test]
async fn every_version_is_read_as_the_same_function() {
    // Rows without an account are rewritten at once, others when they are next changed.
    for (old, written) in [
        ([FULL_1, PLAIN_1], [FULL_4, PLAIN_4]),
        ([FULL_2, PLAIN_2], [FULL_2, PLAIN_2]),
        ([FULL_1, PLAIN_2], [FULL_4, PLAIN_2]),
        ([FULL_3, PLAIN_3], [FULL_3, PLAIN_3]),
        ([FULL_4, PLAIN_4], [FULL_4, PLAIN_4]),
    ] {
        let store = holding(&old).await;
        let read: Vec<_> =
            load(&store, ACCOUNT).await.unwrap().into_values().map(|(f, _)| (*f).clone()).collect();
        assert_eq!(read, [full(), plain()], "{old:?}");
        assert_eq!(rows(&store).await, parsed(&written), "{old:?}");
    }
}

/// A function with a published version, an alias and a policy, which have rows of their own.
fn published() -> Function {
    let function = full();
    let version =
        Version { qualifier: "2".to_owned(), generation: Uuid::from_u128(7), ..(*function.latest).clone() };
    let version = PublishedVersion { version: Arc::new(version), revision_id: Uuid::from_u128(8) };
    let alias = Alias {
        version: "2".to_owned(),
        second: Some((1, 0.25)),
        description: "what is live".to_owned(),
        revision_id: Uuid::from_u128(9),
    };
    let statement = |sid: &str, action: &str, principal: &str, conditions: BTreeMap<_, _>| Statement {
        sid: sid.to_owned(),
        action: action.to_owned(),
        principal: Principal::parse(principal).unwrap(),
        conditions,
    };
    let source = BTreeMap::from([("AWS:SourceArn".to_owned(), "arn:aws:s3:::b".to_owned())]);
    let policy = vec![
        statement(
            "s3",
            "lambda:InvokeFunction",
            "s3.amazonaws.com",
            BTreeMap::from([("ArnLike".to_owned(), source)]),
        ),
        statement("all", "lambda:GetFunction", "*", BTreeMap::new()),
        statement("b", "lambda:*", "111111111111", BTreeMap::new()),
    ];
    Function {
        policies: [(LATEST.to_owned(), Arc::new(policy))].into(),
        versions: [(2, Arc::new(version))].into(),
        aliases: [("live".to_owned(), Arc::new(alias))].into(),
        ..function
    }
}

#[tokio::test]
async fn what_has_rows_of_its_own_comes_back_and_goes_with_its_function() {
    for (function, version) in [(FULL_3, VERSION_1), (FULL_4, VERSION_2)] {
        let store = holding(&[ALIAS_1, function, POLICY_1, version]).await;
        let (read, _) = load(&store, ACCOUNT).await.unwrap().into_values().next().unwrap();
        assert_eq!(*read, published());
    }
    let changes = async |before: Option<&Function>, now: Option<&Function>| {
        let store = holding(if before.is_some() { &[ALIAS_1, POLICY_1, VERSION_2] } else { &[] }).await;
        let mut batch = Batch::new();
        add_changes(&mut batch, &full().id, before, now).unwrap();
        if !batch.is_empty() {
            store.commit(batch, Durability::Synced).await.unwrap();
        }
        rows(&store).await
    };
    let all = parsed(&[ALIAS_1, POLICY_1, VERSION_2]);
    assert_eq!(changes(None, Some(&published())).await, all);
    assert_eq!(changes(Some(&published()), Some(&published())).await, all);
    assert_eq!(changes(Some(&published()), None).await, []);
}

#[tokio::test]
async fn a_version_without_its_function_is_named() {
    let error = load(&holding(&[PLAIN_3, VERSION_1]).await, ACCOUNT).await.unwrap_err().to_string();
    assert!(
        error.contains("version/full/00000000000000000002") && error.contains("restore a backup"),
        "{error}"
    );
}

#[test]
fn what_is_written_is_the_newest_golden_file() {
    for (function, (name, golden)) in [(full(), FULL_4), (plain(), PLAIN_4), (with_parts(), PARTS_4)] {
        assert_eq!(key(&function.id), name.as_bytes());
        let written: Value = serde_json::from_slice(&encode(&function).unwrap()).unwrap();
        assert_eq!(written, serde_json::from_str::<Value>(golden).unwrap(), "{name}: {written}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_named_and_nothing_is_changed() {
    let newer = FULL_4.1.replace("\"v\": 4", "\"v\": 5");
    let extra = FULL_4.1.replace("\"state\"", "\"later\": 1, \"state\"");
    let cases = [
        ((FULL_2.0, newer.as_str()), "has version 5, but this lambd knows versions up to 4"),
        ((FULL_2.0, extra.as_str()), "cannot be read"),
        (("us-east-1/broken", r#"{"v":1,"record":{}}"#), "\"us-east-1/broken\" cannot be read"),
        (("000000000000/us-east-1/later/x", "{}"), "of a kind that this lambd does not know"),
        (("\u{1}", "{}"), "of a kind that this lambd does not know"),
    ];
    for (row, problem) in cases {
        let store = holding(&[PLAIN_1, row]).await;
        let before = rows(&store).await;
        let error = load(&store, ACCOUNT).await.unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
        assert_eq!(rows(&store).await, before, "{problem}");
    }
}

#[tokio::test]
async fn an_interrupted_migration_continues() {
    let value = PLAIN_1.1.trim_end();
    let old: Vec<_> = (0..600).map(|n| format!("us-east-1/f{n:03}")).collect();
    let store = holding(&old.iter().map(|key| (key.as_str(), value)).collect::<Vec<_>>()).await;
    let store = Limited::new(store, 1);
    assert!(load(&store, ACCOUNT).await.is_err());
    let new = async |store: &Limited| {
        let rows = rows(&store.inner).await;
        rows.iter().filter(|(key, _)| key.starts_with(ACCOUNT)).count()
    };
    assert!((1..600).contains(&new(&store).await), "part of it is done");
    store.allow(usize::MAX);
    assert_eq!((load(&store, ACCOUNT).await.unwrap().len(), new(&store).await), (600, 600));
}
