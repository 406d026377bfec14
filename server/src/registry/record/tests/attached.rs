//! Golden files of the settings that are attached to a function and its qualifiers.

use lambd_model::{
    ByQualifier, CodeSigning, Cors, EventInvoke, FunctionUrl, InvokeMode, ProvisionedConcurrency,
    RecursiveLoop, RuntimeManagement, RuntimeUpdates, Scaling, UrlAuth,
};

use super::*;

/// A row of each kind, in the order of their keys.
const ROWS: [(&str, &str); 7] = [
    ("000000000000/eu-west-1/code-signing/full/$LATEST", include_str!("../golden/code-signing.v1.json")),
    ("000000000000/eu-west-1/event-invoke/full/live", include_str!("../golden/event-invoke.v1.json")),
    ("000000000000/eu-west-1/provisioned/full/live", include_str!("../golden/provisioned.v1.json")),
    ("000000000000/eu-west-1/recursion/full/$LATEST", include_str!("../golden/recursion.v1.json")),
    (
        "000000000000/eu-west-1/runtime-management/full/2",
        include_str!("../golden/runtime-management.v1.json"),
    ),
    ("000000000000/eu-west-1/scaling/full/2", include_str!("../golden/scaling.v1.json")),
    ("000000000000/eu-west-1/url/full/$LATEST", include_str!("../golden/url.v1.json")),
];

fn at<T>(qualifier: &str, setting: T) -> ByQualifier<T> {
    [(qualifier.to_owned(), Arc::new(setting))].into()
}

fn attached() -> Attached {
    let event_invoke = EventInvoke {
        retries_max: Some(0),
        age_max_s: Some(60),
        on_success: Some("arn:aws:events:eu-west-1:000000000000:event-bus/b".to_owned()),
        on_failure: Some("arn:aws:sqs:eu-west-1:000000000000:q".to_owned()),
        last_modified_ms: 1_795_461_141_000,
    };
    let texts = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
    let url = FunctionUrl {
        id: Uuid::from_u128(3).simple().to_string(),
        auth: UrlAuth::Iam,
        invoke_mode: InvokeMode::ResponseStream,
        cors: Some(Cors {
            allow_credentials: Some(true),
            allow_headers: texts(&["x-a"]),
            allow_methods: texts(&["GET", "POST"]),
            allow_origins: texts(&["https://a.example"]),
            expose_headers: texts(&[]),
            max_age_s: Some(86_400),
        }),
        created_ms: 1_795_461_141_000,
        last_modified_ms: 1_795_461_142_000,
    };
    let runtime_management = RuntimeManagement {
        updates: RuntimeUpdates::Manual,
        version_arn: Some("arn:aws:lambda:eu-west-1::runtime:0123".to_owned()),
    };
    Attached {
        code_signing: at(LATEST, CodeSigning { config: "csc-0123456789abcdef0".to_owned() }),
        event_invoke: at("live", event_invoke),
        urls: at(LATEST, url),
        runtime_management: at("2", runtime_management),
        recursion: at(LATEST, RecursiveLoop::Allow),
        scaling: at("2", Scaling { environments_min: Some(3), environments_max: None }),
        provisioned: at(
            "live",
            ProvisionedConcurrency { executions: 5, last_modified_ms: 1_795_461_141_000 },
        ),
    }
}

#[tokio::test]
async fn settings_come_back_and_go_with_what_they_belong_to() {
    let function = Function { attached: attached(), ..full() };
    let store = holding(&[&ROWS[..], &[FULL_3]].concat()).await;
    let (read, _) = load(&store, ACCOUNT).await.unwrap().into_values().next().unwrap();
    assert_eq!(*read, function);
    let changes = async |before: Option<&Function>, now: Option<&Function>| {
        let store = holding(if before.is_some() { &ROWS[..] } else { &[] }).await;
        let mut batch = Batch::new();
        add_changes(&mut batch, &function.id, before, now).unwrap();
        if !batch.is_empty() {
            store.commit(batch, Durability::Synced).await.unwrap();
        }
        rows(&store).await
    };
    let all = parsed(&ROWS);
    assert_eq!(changes(None, Some(&function)).await, all);
    assert_eq!(changes(Some(&function), Some(&function)).await, all);
    assert_eq!(changes(Some(&function), None).await, []);
    let mut detached = function.clone();
    for qualifier in ["live", "2", LATEST] {
        detached.detach(qualifier);
    }
    assert_eq!(
        (&detached.attached, changes(Some(&function), Some(&detached)).await),
        (&Attached::default(), vec![])
    );
}

#[tokio::test]
async fn a_setting_that_cannot_be_read_or_has_no_function_is_named() {
    let newer = ROWS[0].1.replace("\"v\": 1", "\"v\": 2");
    for (rows, problem) in [
        (vec![FULL_3, (ROWS[0].0, newer.as_str())], "has version 2, but this lambd knows versions up to 1"),
        (vec![FULL_3, (ROWS[0].0, r#"{"v":1,"record":{}}"#)], "cannot be read"),
        (vec![PLAIN_3, ROWS[0]], "belongs to a function that is not there"),
    ] {
        let error = load(&holding(&rows).await, ACCOUNT).await.unwrap_err().to_string();
        assert!(error.contains(problem) && error.contains(ROWS[0].0), "{error}");
    }
}
