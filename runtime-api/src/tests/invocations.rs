//! Many invocations, and waits that are cancelled.

use std::task::Poll;

use crate::testing::{NEXT, ServedEnvironment, error_path, event, request, response_path};
use crate::{Outcome, Ready};

#[tokio::test]
async fn a_hundred_thousand_in_a_row_on_one_connection() {
    let environment = ServedEnvironment::start().await;
    let mut client = environment.connect().await;
    let runtime = tokio::spawn(async move {
        loop {
            client.send(&request("GET", NEXT, "", b"")).await;
            let Some(answer) = client.try_answer().await else { return };
            let id = answer.header("lambda-runtime-aws-request-id").unwrap();
            client.post(&response_path(id), &answer.body).await.is_accepted();
        }
    });
    assert!(matches!(environment.session.ready().await, Ready::Next));
    for n in 0..100_000 {
        let id = format!("request-{n}");
        let mut invocation = environment.session.deliver(event(&id)).unwrap();
        let Outcome::Response(response) = invocation.outcome().await else { panic!("outcome of {n}") };
        assert_eq!(response.body, format!("{{\"id\":\"{id}\"}}"));
        invocation.done().await;
    }
    drop(environment.session);
    runtime.await.unwrap();
}

#[tokio::test]
async fn a_connection_per_call_works_too() {
    let environment = ServedEnvironment::start().await;
    let close = "Connection: close\r\n";
    let (mut client, mut invocation) = environment.running("0").await;
    for n in 0..200 {
        drop(client);
        let path = if n % 2 == 0 { response_path(&n.to_string()) } else { error_path(&n.to_string()) };
        environment.connect().await.call("POST", &path, close, b"{}").await.is_accepted();
        client = environment.connect().await;
        client.send(&request("GET", NEXT, close, b"")).await;
        invocation.done().await;
        drop(invocation);
        invocation = environment.session.deliver(event(&(n + 1).to_string())).unwrap();
        assert_eq!(client.answer().await.status, 200);
    }
}

/// Polls a future once and drops it.
macro_rules! give_up {
    ($future:expr) => {{
        let mut future = std::pin::pin!($future);
        std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
    }};
}

#[tokio::test]
async fn cancelled_waits_lose_nothing() {
    let environment = ServedEnvironment::start().await;
    assert!(give_up!(environment.session.ready()));
    let mut client = environment.poll().await;
    assert!(!give_up!(environment.session.ready()));
    let mut invocation = environment.session.deliver(event("a")).unwrap();
    assert!(give_up!(invocation.outcome()));
    client.answer().await.is(200, "{\"id\":\"a\"}");
    assert!(give_up!(invocation.outcome()));
    client.post(&response_path("a"), "1").await.is_accepted();
    assert!(!give_up!(invocation.outcome()));
    assert!(matches!(invocation.outcome().await, Outcome::Response(_)));
    assert!(give_up!(invocation.done()));
    client.send(&request("GET", NEXT, "", b"")).await;
    environment.until(|session| session.polls() == 1).await;
    assert!(!give_up!(invocation.done()));
    assert!(matches!(invocation.outcome().await, Outcome::Response(_)));
}

#[tokio::test]
async fn an_abandoned_invocation_ends_and_another_may_follow() {
    let environment = ServedEnvironment::start().await;
    let (mut client, invocation) = environment.running("a").await;
    drop(invocation);
    client.post(&response_path("a"), "1").await.is_accepted();
    client.send(&request("GET", NEXT, "", b"")).await;
    environment.until(|session| session.polls() == 1).await;
    let mut invocation = environment.session.deliver(event("b")).unwrap();
    client.answer().await.is(200, "{\"id\":\"b\"}");
    assert!(give_up!(invocation.outcome()));
}

#[tokio::test]
async fn all_waits_see_the_same_outcome() {
    let environment = ServedEnvironment::start().await;
    let ready = || environment.session.ready();
    let (first, second, _client) = tokio::join!(ready(), ready(), environment.poll());
    assert!(matches!((first, second), (Ready::Next, Ready::Next)));
}
