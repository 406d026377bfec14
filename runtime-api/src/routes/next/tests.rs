//! `next`: the form of an event, the poll that gets it, and that none is lost.

use crate::testing::{NEXT, ServedEnvironment, event, request, response_path};
use crate::{DeliverError, Event, Ready, RuntimeState};

#[tokio::test]
async fn an_event_comes_with_every_header() {
    let environment = ServedEnvironment::start().await;
    let mut client = environment.poll().await;
    assert!(matches!(environment.session.ready().await, Ready::Next));
    let sent = Event {
        trace_id: "Root=1-2-3;Parent=4;Sampled=0".into(),
        client_context: "{\n  \"custom\": {\"k\": \"é\"}\r\n}".into(),
        cognito_identity: "{\"cognitoIdentityId\":\"i\"}".into(),
        tenant: "t".into(),
        content_type: "text/plain".into(),
        ..event("a")
    };
    let invocation = environment.session.deliver(sent).unwrap();
    let answer = client.answer().await;
    assert!(invocation.is_delivered());
    assert_eq!((answer.status, answer.body.as_str()), (200, "{\"id\":\"a\"}"));
    for (name, value) in [
        ("lambda-runtime-aws-request-id", "a"),
        ("lambda-runtime-deadline-ms", "1795000000000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:000000000000:function:f"),
        ("lambda-runtime-trace-id", "Root=1-2-3;Parent=4;Sampled=0"),
        ("lambda-runtime-client-context", "{   \"custom\": {\"k\": \"é\"}  }"),
        ("lambda-runtime-cognito-identity", "{\"cognitoIdentityId\":\"i\"}"),
        ("lambda-runtime-aws-tenant-id", "t"),
        ("lambda-runtime-invocation-id", "attempt-a"),
        ("content-type", "text/plain"),
        ("content-length", "10"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn empty_values_have_no_header_and_an_empty_payload_arrives() {
    let environment = ServedEnvironment::start().await;
    let mut client = environment.poll().await;
    let sent = Event { request_id: "a".into(), ..Event::default() };
    let invocation = environment.session.deliver(sent).unwrap();
    let answer = client.answer().await;
    assert!(invocation.is_delivered());
    answer.is(200, "");
    let mut names: Vec<_> = answer.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "content-length",
            "content-type",
            "date",
            "lambda-runtime-aws-request-id",
            "lambda-runtime-deadline-ms"
        ]
    );
}

#[tokio::test]
async fn polling_again_gives_the_same_event_at_once() {
    let environment = ServedEnvironment::start().await;
    let (mut client, _invocation) = environment.running("a").await;
    for _ in 0..3 {
        client.call("GET", NEXT, "", b"").await.is(200, "{\"id\":\"a\"}");
        environment.connect().await.call("GET", NEXT, "", b"").await.is(200, "{\"id\":\"a\"}");
    }
    client.post(&response_path("a"), "1").await.is_accepted();
}

#[tokio::test]
async fn a_second_poll_waits_for_the_next_event() {
    let environment = ServedEnvironment::start().await;
    let mut first = environment.poll().await;
    let mut second = environment.poll().await;
    assert_eq!(environment.session.polls(), 2);
    let mut invocation = environment.session.deliver(event("a")).unwrap();
    first.answer().await.is(200, "{\"id\":\"a\"}");
    assert_eq!(environment.session.polls(), 1);
    first.post(&response_path("a"), "1").await.is_accepted();
    first.send(&request("GET", NEXT, "", b"")).await;
    invocation.done().await;
    drop(invocation);
    let _invocation = environment.session.deliver(event("b")).unwrap();
    second.answer().await.is(200, "{\"id\":\"b\"}");
}

#[tokio::test]
async fn a_poll_whose_client_has_gone_takes_no_event() {
    let environment = ServedEnvironment::start().await;
    let gone = environment.poll().await;
    let mut alive = environment.poll().await;
    drop(gone);
    environment.until(|session| session.polls() == 1).await;
    let invocation = environment.session.deliver(event("a")).unwrap();
    alive.answer().await.is(200, "{\"id\":\"a\"}");
    assert!(invocation.is_delivered());
}

#[tokio::test]
async fn a_poll_that_is_woken_after_its_client_left_takes_no_event() {
    let environment = ServedEnvironment::start().await;
    let gone = environment.poll().await;
    let mut alive = environment.poll().await;
    // The event wakes the first poll before the reactor can report that its client has left.
    let invocation = environment.session.deliver(event("a")).unwrap();
    drop(gone);
    alive.answer().await.is(200, "{\"id\":\"a\"}");
    assert!(invocation.is_delivered());
}

#[tokio::test]
async fn an_undelivered_event_waits_or_is_recalled() {
    let environment = ServedEnvironment::start().await;
    drop(environment.poll().await);
    environment.until(|session| session.polls() == 0).await;
    let mut invocation = environment.session.deliver(event("a")).unwrap();
    assert!(!invocation.is_delivered());
    assert_eq!(environment.session.deliver(event("b")).unwrap_err(), DeliverError::Busy);
    assert_eq!(invocation.recall().map(|event| event.request_id), Some("a".to_owned()));
    assert!(invocation.recall().is_none());
    // Dropping the handle does the same.
    drop(environment.session.deliver(event("b")).unwrap());
    let mut later = environment.session.deliver(event("c")).unwrap();
    drop(invocation);
    environment.connect().await.call("GET", NEXT, "", b"").await.is(200, "{\"id\":\"c\"}");
    assert!(later.is_delivered());
    assert!(later.recall().is_none());
}

#[tokio::test]
async fn deliver_is_refused_unless_the_runtime_waits() {
    let environment = ServedEnvironment::start().await;
    let refused = environment.session.deliver(event("a")).unwrap_err();
    assert_eq!(refused, DeliverError::NotReady(RuntimeState::Started));
    let (mut client, invocation) = environment.running("a").await;
    drop(invocation);
    assert_eq!(environment.session.deliver(event("b")).unwrap_err(), DeliverError::Busy);
    client.post(&response_path("a"), "1").await.is_accepted();
    assert_eq!(environment.session.deliver(event("b")).unwrap_err(), DeliverError::Busy);
    client.send(&request("GET", NEXT, "", b"")).await;
    environment.until_state(RuntimeState::Ready).await;
    let _invocation = environment.session.deliver(event("b")).unwrap();
    client.answer().await.is(200, "{\"id\":\"b\"}");
}

#[tokio::test]
async fn a_body_on_next_is_dropped() {
    let environment = ServedEnvironment::start().await;
    let mut client = environment.connect().await;
    client.send(&request("GET", NEXT, "", &[b'x'; 100_000])).await;
    environment.until(|session| session.polls() == 1).await;
    let _invocation = environment.session.deliver(event("a")).unwrap();
    client.answer().await.is(200, "{\"id\":\"a\"}");
    client.post(&response_path("a"), "1").await.is_accepted();
}
