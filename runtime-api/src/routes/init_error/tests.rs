//! `init/error` is accepted once, and only before the first `next`.

use crate::limits::ERROR_BODY_MAX_BYTES;
use crate::testing::{INIT_ERROR, NEXT, ServedEnvironment, chunked, event};
use crate::{Ready, RuntimeState};

#[tokio::test]
async fn the_first_is_kept_untouched_and_the_second_refused() {
    let environment = ServedEnvironment::start().await;
    let mut client = environment.connect().await;
    let headers = "Lambda-Runtime-Function-Error-Type: Runtime.ImportModuleError\r\nContent-Type: text/x\r\n";
    client.call("POST", INIT_ERROR, headers, b" {\"a\" : 1}").await.is_accepted();
    client.post(INIT_ERROR, "second").await.is_forbidden("InitError", "InitError");
    client.call("GET", NEXT, "", b"").await.is_forbidden("InitError", "Ready");
    for _ in 0..2 {
        let Ready::InitError(error) = environment.session.ready().await else { panic!("ready") };
        assert_eq!(error.body, " {\"a\" : 1}");
        assert_eq!(error.content_type, "text/x");
        assert_eq!(error.error_type, "Runtime.ImportModuleError");
        assert_eq!(error.raw_error_type.as_deref(), Some("Runtime.ImportModuleError"));
    }
}

#[tokio::test]
async fn absent_headers_have_defaults() {
    let environment = ServedEnvironment::start().await;
    environment.connect().await.post(INIT_ERROR, "").await.is_accepted();
    let Ready::InitError(error) = environment.session.ready().await else { panic!("ready") };
    assert_eq!((error.error_type.as_str(), error.raw_error_type), ("Runtime.Unknown", None));
    assert_eq!(error.content_type, "application/json");
}

#[tokio::test]
async fn init_error_is_refused_after_next() {
    let environment = ServedEnvironment::start().await;
    let mut client = environment.poll().await;
    environment.connect().await.post(INIT_ERROR, "{}").await.is_forbidden("Ready", "InitError");
    let _invocation = environment.session.deliver(event("a")).unwrap();
    assert_eq!(client.answer().await.status, 200);
    client.post(INIT_ERROR, "{}").await.is_forbidden("Running", "InitError");
}

#[tokio::test]
async fn the_limit_is_a_mebibyte_and_a_smaller_one_may_follow() {
    let environment = ServedEnvironment::start().await;
    let mut client = environment.connect().await;
    let over = vec![b'x'; ERROR_BODY_MAX_BYTES + 1];
    let refusal = r#"{"errorMessage":"Exceeded maximum allowed payload size (1048576 bytes).","errorType":"RequestEntityTooLarge"}"#;
    client.call("POST", INIT_ERROR, "", &over).await.is(413, refusal);
    client.send(&chunked(INIT_ERROR, "", &[&over], "")).await;
    client.answer().await.is(413, refusal);
    assert_eq!(environment.session.state(), RuntimeState::Started);
    client.call("POST", INIT_ERROR, "", &over[1..]).await.is_accepted();
    let Ready::InitError(error) = environment.session.ready().await else { panic!("ready") };
    assert_eq!(error.body.len(), ERROR_BODY_MAX_BYTES);
}

#[tokio::test]
async fn a_broken_body_does_not_change_the_state() {
    let environment = ServedEnvironment::start().await;
    let mut client = environment.connect().await;
    client
        .send(format!("POST {INIT_ERROR} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").as_bytes())
        .await;
    client.answer().await.is_truncated();
    assert_eq!(environment.session.state(), RuntimeState::Started);
    environment.connect().await.post(INIT_ERROR, "{}").await.is_accepted();
}
