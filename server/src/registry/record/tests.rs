//! Golden files of each version of the stored form, all of which must be readable.

use std::sync::Arc;

use lambd_model::{CodeRef, Configuration, LogFormat, Logging, Sha256, Variables, Vpc};
use lambd_store::{Batch, Durability, MemStore};
use serde_json::Value;

use super::*;
use crate::registry::testing::{Limited, configuration};

const ACCOUNT: &str = "000000000000";
/// Keys and values as the first release wrote them.
const FULL_1: (&str, &str) = ("eu-west-1/full", include_str!("golden/full.v1.json"));
const PLAIN_1: (&str, &str) = ("us-east-1/plain", include_str!("golden/plain.v1.json"));
const FULL_2: (&str, &str) = ("000000000000/eu-west-1/function/full", include_str!("golden/full.v2.json"));
const PLAIN_2: (&str, &str) = ("000000000000/us-east-1/function/plain", include_str!("golden/plain.v2.json"));

fn function(region: &str, name: &str, generation: Uuid, configuration: Configuration) -> Function {
    let id = Arc::new(FunctionId { account: ACCOUNT.into(), region: region.into(), name: name.to_owned() });
    let latest =
        Version { function: Arc::clone(&id), qualifier: LATEST.to_owned(), configuration, generation };
    Function {
        id,
        latest: Arc::new(latest),
        state: FunctionState::Pending,
        last_update: None,
        revision_id: Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
        tags: BTreeMap::new(),
        reserved_concurrency: None,
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
        ..plain().latest.configuration.clone()
    };
    Function {
        state: FunctionState::Active,
        last_update: Some(LastUpdate::InProgress),
        tags: [("team".to_owned(), "a".to_owned()), ("x".to_owned(), String::new())].into(),
        reserved_concurrency: Some(7),
        ..function("eu-west-1", "full", Uuid::from_u128(2), configuration)
    }
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
    for old in [[FULL_1, PLAIN_1], [FULL_2, PLAIN_2], [FULL_1, PLAIN_2]] {
        let store = holding(&old).await;
        let read: Vec<_> =
            load(&store, ACCOUNT).await.unwrap().into_values().map(|(f, _)| (*f).clone()).collect();
        assert_eq!(read, [full(), plain()], "{old:?}");
        assert_eq!(rows(&store).await, parsed(&[FULL_2, PLAIN_2]), "{old:?}");
    }
}

#[test]
fn what_is_written_is_the_newest_golden_file() {
    for (function, (name, golden)) in [(full(), FULL_2), (plain(), PLAIN_2)] {
        assert_eq!(key(&function.id), name.as_bytes());
        let written: Value = serde_json::from_slice(&encode(&function).unwrap()).unwrap();
        assert_eq!(written, serde_json::from_str::<Value>(golden).unwrap(), "{name}: {written}");
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_named_and_nothing_is_changed() {
    let newer = FULL_2.1.replace("\"v\": 2", "\"v\": 3");
    let extra = FULL_2.1.replace("\"state\"", "\"later\": 1, \"state\"");
    let cases = [
        ((FULL_2.0, newer.as_str()), "has version 3, but this lambd knows versions up to 2"),
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
