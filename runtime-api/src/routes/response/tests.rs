//! `response`: bodies, modes, trailers, limits and broken bodies.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::limits::RESPONSE_BODY_MAX_BYTES;
use crate::testing::{NEXT, ServedEnvironment, chunked, error_path, event, request, response_path};
use crate::{Delivery, Outcome, Response, ResponseMode, RuntimeState};

const TOO_LARGE: &str = r#"{"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}"#;

fn returned(outcome: Outcome) -> Response {
    match outcome {
        Outcome::Response(response) => response,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_body_passes_untouched_and_done_is_the_next_poll() {
    let environment = ServedEnvironment::start().await;
    let (mut client, mut invocation) = environment.running("a").await;
    let headers = "Content-Type: text/x\r\nLambda-Runtime-Invocation-Id: attempt-a\r\n";
    client.call("POST", &response_path("a"), headers, b" {\"x\" :1} ").await.is_accepted();
    for _ in 0..2 {
        let response = returned(invocation.outcome().await);
        assert_eq!(response.body, " {\"x\" :1} ");
        assert_eq!(response.content_type, "text/x");
        assert_eq!(response.mode, ResponseMode::Buffered);
    }
    assert_eq!(environment.session.state(), RuntimeState::ResponseSent);
    client
        .post(&response_path("a"), "2")
        .await
        .is_forbidden("RuntimeResponseSentState", "InvocationResponse");
    client.send(&request("GET", NEXT, "", b"")).await;
    invocation.done().await;
    assert_eq!(environment.session.state(), RuntimeState::Ready);
    environment.connect().await.post(&response_path("a"), "3").await.is_invalid_request_id();
    assert_eq!(returned(invocation.outcome().await).body, " {\"x\" :1} ");
}

#[tokio::test]
async fn ids_are_checked_before_the_state() {
    let environment = ServedEnvironment::start().await;
    environment.connect().await.post(&response_path("a"), "1").await.is_invalid_request_id();
    drop(environment.poll().await);
    environment.until(|session| session.polls() == 0).await;
    let invocation = environment.session.deliver(event("a")).unwrap();
    // The server knows the id, but no poll has the event, so the runtime cannot know it.
    environment.connect().await.post(&response_path("a"), "1").await.is_invalid_request_id();
    drop(invocation);
    let (mut client, _invocation) = environment.running("b").await;
    client.post(&response_path("a"), "1").await.is_invalid_request_id();
    client.post(&response_path(""), "1").await.is_invalid_request_id();
    let wrong = "Lambda-Runtime-Invocation-Id: other\r\n";
    client
        .call("POST", &response_path("b"), wrong, b"{}")
        .await
        .is(400, r#"{"errorMessage":"Invalid invocation ID","errorType":"InvalidInvocationId"}"#);
    client.post(&response_path("b"), "1").await.is_accepted();
}

#[tokio::test]
async fn a_streamed_response_is_read_like_another_one() {
    let environment = ServedEnvironment::start().await;
    let (mut client, mut invocation) = environment.running("a").await;
    let mode = "Lambda-Runtime-Function-Response-Mode: streaming\r\n";
    let path = response_path("a");
    client
        .send(
            format!("POST {path} HTTP/1.1\r\n{mode}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n").as_bytes(),
        )
        .await;
    environment.until_state(RuntimeState::InvocationResponse).await;
    let mut other = environment.connect().await;
    other.post(&error_path("a"), "{}").await.is_forbidden("InvocationResponse", "InvocationErrorResponse");
    other.call("GET", NEXT, "", b"").await.is_forbidden("InvocationResponse", "Ready");
    client.send(b"1\r\nc\r\n0\r\n\r\n").await;
    client.answer().await.is_accepted();
    let response = returned(invocation.outcome().await);
    assert_eq!((response.body.as_ref(), response.mode), (&b"abc"[..], ResponseMode::Streaming));
}

#[tokio::test]
async fn an_unknown_mode_ends_the_invocation_and_the_environment() {
    for value in ["Streaming", "buffered", "", "streaming, streaming"] {
        let environment = ServedEnvironment::start().await;
        let (mut client, mut invocation) = environment.running("a").await;
        let mode = format!("Lambda-Runtime-Function-Response-Mode: {value}\r\n");
        client.call("POST", &response_path("a"), &mode, b"1").await.is(
            400,
            r#"{"errorMessage":"Invalid function response mode","errorType":"InvalidFunctionResponseMode"}"#,
        );
        assert!(matches!(invocation.outcome().await, Outcome::InvalidResponseMode));
        client
            .post(&error_path("a"), "{}")
            .await
            .is_forbidden("InvocationResponse", "InvocationErrorResponse");
        client.call("GET", NEXT, "", b"").await.is_forbidden("InvocationResponse", "Ready");
    }
}

#[tokio::test]
async fn go_declares_trailers_on_every_post() {
    let declared = "Content-Type: application/octet-stream\r\n\
                    Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n";
    let environment = ServedEnvironment::start().await;
    let (mut client, mut invocation) = environment.running("a").await;
    client.send(&chunked(&response_path("a"), declared, &[b"{}"], "")).await;
    client.answer().await.is_accepted();
    let response = returned(invocation.outcome().await);
    assert_eq!(
        (response.body.as_ref(), response.content_type.as_bytes()),
        (&b"{}"[..], &b"application/octet-stream"[..])
    );

    let environment = ServedEnvironment::start().await;
    let (mut client, mut invocation) = environment.running("a").await;
    let trailers = "Lambda-Runtime-Function-Error-Type: Function.Broken\r\n\
                    Lambda-Runtime-Function-Error-Body: eyJlIjoxfQ==\r\n";
    client.send(&chunked(&response_path("a"), declared, &[b"half"], trailers)).await;
    client.answer().await.is_accepted();
    let Outcome::Error(error) = invocation.outcome().await else { panic!("outcome") };
    assert_eq!((error.body.as_ref(), error.error_type.as_str()), (&b"{\"e\":1}"[..], "Function.Broken"));
}

#[tokio::test]
async fn a_large_error_trailer_is_read() {
    let environment = ServedEnvironment::start().await;
    let (mut client, mut invocation) = environment.running("a").await;
    let trailers = format!(
        "Lambda-Runtime-Function-Error-Type: x\r\nLambda-Runtime-Function-Error-Body: {}\r\n",
        "QUFB".repeat(50_000)
    );
    client.send(&chunked(&response_path("a"), "", &[b"half"], &trailers)).await;
    client.answer().await.is_accepted();
    let Outcome::Error(error) = invocation.outcome().await else { panic!("outcome") };
    assert_eq!(error.body.len(), 150_000);
}

#[tokio::test]
async fn the_limit_is_exact_and_the_next_event_works() {
    let environment = ServedEnvironment::start().await;
    let (mut client, mut invocation) = environment.running("a").await;
    let over = vec![b'x'; RESPONSE_BODY_MAX_BYTES + 1];
    client.call("POST", &response_path("a"), "", &over[1..]).await.is_accepted();
    assert_eq!(returned(invocation.outcome().await).body, over[1..]);
    for (id, is_chunked) in [("b", false), ("c", true)] {
        client.send(&request("GET", NEXT, "", b"")).await;
        invocation.done().await;
        drop(invocation);
        invocation = environment.session.deliver(event(id)).unwrap();
        assert_eq!(client.answer().await.status, 200);
        let path = response_path(id);
        let post =
            if is_chunked { chunked(&path, "", &[&over], "") } else { request("POST", &path, "", &over) };
        client.send(&post).await;
        client.answer().await.is(413, TOO_LARGE);
        let outcome = invocation.outcome().await;
        assert!(
            matches!(outcome, Outcome::ResponseTooLarge { size_bytes } if size_bytes > RESPONSE_BODY_MAX_BYTES as u64)
        );
    }
}

#[tokio::test]
async fn a_client_that_writes_first_still_reads_the_413() {
    let environment = ServedEnvironment::start().await;
    let (mut client, mut invocation) = environment.running("a").await;
    client.call("POST", &response_path("a"), "", &vec![b'x'; 40 << 20]).await.is(413, TOO_LARGE);
    assert!(
        matches!(invocation.outcome().await, Outcome::ResponseTooLarge { size_bytes } if size_bytes == 40 << 20)
    );
}

#[tokio::test]
async fn a_broken_body_is_400_then_403_and_next_works() {
    for broken in
        ["Transfer-Encoding: chunked\r\n\r\nzz\r\n", "Transfer-Encoding: chunked\r\n\r\n4\r\nabXXXX"]
    {
        let environment = ServedEnvironment::start().await;
        let (mut client, mut invocation) = environment.running("a").await;
        client.send(format!("POST {} HTTP/1.1\r\n{broken}", response_path("a")).as_bytes()).await;
        client.answer().await.is_truncated();
        assert!(matches!(invocation.outcome().await, Outcome::Truncated));
        is_answered_and_goes_on(&environment, &mut invocation).await;
    }
}

/// A truncated response counts as the answer: another one is refused, and `next` works.
async fn is_answered_and_goes_on(environment: &ServedEnvironment, invocation: &mut Delivery) {
    let mut client = environment.connect().await;
    client
        .post(&response_path("a"), "1")
        .await
        .is_forbidden("RuntimeResponseSentState", "InvocationResponse");
    client.send(&request("GET", NEXT, "", b"")).await;
    invocation.done().await;
}

#[tokio::test]
async fn a_body_that_ends_early_is_truncated() {
    for framing in ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nab"] {
        for half_closed in [true, false] {
            let environment = ServedEnvironment::start().await;
            let (mut client, mut invocation) = environment.running("a").await;
            client.send(format!("POST {} HTTP/1.1\r\n{framing}", response_path("a")).as_bytes()).await;
            if half_closed {
                client.stream.get_mut().shutdown().await.unwrap();
                client.answer().await.is_truncated();
            } else {
                drop(client);
            }
            assert!(matches!(invocation.outcome().await, Outcome::Truncated));
            is_answered_and_goes_on(&environment, &mut invocation).await;
        }
    }
}

#[tokio::test]
async fn chunked_wins_over_a_length() {
    for lines in
        ["Content-Length: 3\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 3"]
    {
        let environment = ServedEnvironment::start().await;
        let (mut client, mut invocation) = environment.running("a").await;
        let path = response_path("a");
        client
            .send(format!("POST {path} HTTP/1.1\r\n{lines}\r\n\r\n5\r\nabcde\r\n0\r\n\r\n").as_bytes())
            .await;
        client.answer().await.is_accepted();
        assert_eq!(returned(invocation.outcome().await).body, "abcde");
    }
}

#[tokio::test]
async fn a_client_may_wait_for_100_continue() {
    let environment = ServedEnvironment::start().await;
    let (mut client, mut invocation) = environment.running("a").await;
    let path = response_path("a");
    client
        .send(format!("POST {path} HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").as_bytes())
        .await;
    assert_eq!(client.answer().await.status, 100);
    client.send(b"{}").await;
    client.answer().await.is_accepted();
    assert_eq!(returned(invocation.outcome().await).body, "{}");
}

/// A program may end directly after its post: the connection has ended before anything is read.
#[tokio::test]
async fn a_response_counts_even_if_its_client_is_gone() {
    for bytes in [2, 100_000, 1_000_000] {
        let environment = ServedEnvironment::start().await;
        let (mut client, mut invocation) = environment.running("a").await;
        let body = vec![b'1'; bytes];
        client.send(&request("POST", &response_path("a"), "", &body)).await;
        drop(client);
        let outcome = timeout(Duration::from_secs(60), invocation.outcome()).await.expect("an outcome");
        assert_eq!(returned(outcome).body, body);
    }
}
