//! `error`: bodies are passed unchanged, headers are read, limits hold.

use crate::limits::{ERROR_BODY_MAX_BYTES, XRAY_CAUSE_MAX_BYTES};
use crate::testing::{NEXT, ServedEnvironment, chunked, error_path, request, response_path};
use crate::{FunctionError, Outcome, RuntimeState};

async fn posted(headers: &str, body: &[u8]) -> FunctionError {
    let environment = ServedEnvironment::start().await;
    let (mut client, mut invocation) = environment.running("a").await;
    client.call("POST", &error_path("a"), headers, body).await.is_accepted();
    match invocation.outcome().await {
        Outcome::Error(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn body_type_and_cause_are_kept() {
    let headers = "Content-Type: text/x\r\nLambda-Runtime-Function-Error-Type: Exception\r\n\
                   Lambda-Runtime-Function-XRay-Error-Cause: {\"message\":\"m\"}\r\n";
    let error = posted(headers, b"{ \"errorMessage\" : 1 ").await;
    assert_eq!(error.body, "{ \"errorMessage\" : 1 ");
    assert_eq!(error.content_type, "text/x");
    assert_eq!(error.error_type, "Runtime.Unknown");
    assert_eq!(error.raw_error_type.as_deref(), Some("Exception"));
    assert_eq!(error.xray_cause.as_deref(), Some("{\"message\":\"m\"}"));
}

#[tokio::test]
async fn only_a_json_object_within_the_limit_is_a_cause() {
    for (cause, kept) in [
        (String::new(), false),
        ("not json".to_owned(), false),
        ("[1]".to_owned(), false),
        ("{}".to_owned(), true),
        (format!("{{\"m\":\"{}\"}}", "x".repeat(XRAY_CAUSE_MAX_BYTES - 8)), true),
        (format!("{{\"m\":\"{}\"}}", "x".repeat(XRAY_CAUSE_MAX_BYTES - 7)), false),
        // Clients send up to 1 MiB in this one header; it must not break the call.
        (format!("{{\"m\":\"{}\"}}", "x".repeat(1024 * 1024 - 8)), false),
    ] {
        let error = posted(&format!("Lambda-Runtime-Function-XRay-Error-Cause: {cause}\r\n"), b"{}").await;
        assert_eq!(error.xray_cause.is_some(), kept, "{} bytes", cause.len());
        assert_eq!(error.raw_error_type, None);
    }
}

#[tokio::test]
async fn a_body_with_cause_is_split() {
    let headers = "Content-Type: application/vnd.aws.lambda.error.cause+json\r\n";
    let body =
        br#"{"errorMessage":"m","errorCause":{"message":"c"},"errorType":"t","secret":1,"stackTrace":["s"]}"#;
    let error = posted(headers, body).await;
    assert_eq!(error.body, r#"{"errorMessage":"m","errorType":"t","stackTrace":["s"]}"#);
    assert_eq!(error.xray_cause.as_deref(), Some(r#"{"message":"c"}"#));
    assert_eq!(error.content_type, "application/json");
    assert_eq!(posted(headers, b"nope").await.body, "Invalid error body");
}

#[tokio::test]
async fn the_id_is_checked_before_the_attempt_and_the_state() {
    let environment = ServedEnvironment::start().await;
    environment.connect().await.post(&error_path("a"), "{}").await.is_invalid_request_id();
    let (mut client, _invocation) = environment.running("a").await;
    client.post(&error_path("b"), "{}").await.is_invalid_request_id();
    client.post(&error_path(""), "{}").await.is_invalid_request_id();
    let wrong = "Lambda-Runtime-Invocation-Id: other\r\n";
    client
        .call("POST", &error_path("a"), wrong, b"{}")
        .await
        .is(400, r#"{"errorMessage":"Invalid invocation ID","errorType":"InvalidInvocationId"}"#);
    client.call("POST", &error_path("b"), wrong, b"{}").await.is_invalid_request_id();
    client.post(&error_path("a"), "{}").await.is_accepted();
    client
        .post(&error_path("a"), "{}")
        .await
        .is_forbidden("RuntimeResponseSentState", "InvocationErrorResponse");
    client
        .post(&response_path("a"), "{}")
        .await
        .is_forbidden("RuntimeResponseSentState", "InvocationResponse");
    client.send(&request("GET", NEXT, "", b"")).await;
    environment.until_state(RuntimeState::Ready).await;
    environment.connect().await.post(&error_path("a"), "{}").await.is_invalid_request_id();
}

#[tokio::test]
async fn over_the_limit_or_broken_may_be_sent_again() {
    let environment = ServedEnvironment::start().await;
    let (mut client, mut invocation) = environment.running("a").await;
    let over = vec![b'x'; ERROR_BODY_MAX_BYTES + 1];
    let refusal = r#"{"errorMessage":"Exceeded maximum allowed payload size (1048576 bytes).","errorType":"RequestEntityTooLarge"}"#;
    client.call("POST", &error_path("a"), "", &over).await.is(413, refusal);
    client.send(&chunked(&error_path("a"), "", &[&over], "")).await;
    client.answer().await.is(413, refusal);
    let mut broken = environment.connect().await;
    let broken_chunk =
        format!("POST {} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab", error_path("a"));
    broken.send(format!("{broken_chunk}XXXX").as_bytes()).await;
    broken.answer().await.is_truncated();
    client.call("POST", &error_path("a"), "", &over[1..]).await.is_accepted();
    let Outcome::Error(error) = invocation.outcome().await else { panic!("outcome") };
    assert_eq!(error.body.len(), ERROR_BODY_MAX_BYTES);
}
