//! The crate aws-sdk-lambda over plain HTTP: typed errors, waiters, function errors.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_lambda::client::Waiters as _;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::{Credentials, Region};
use aws_sdk_lambda::error::ProvideErrorMetadata as _;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Architecture, FunctionCode, LogType, Runtime, State, ThrottleReason};
use aws_sdk_lambda::{Client, Config};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambd_compat_tests::function::ROLE;
use lambd_compat_tests::{TestServer, programs};

pub(super) const WAIT: Duration = Duration::from_secs(60);

pub(super) fn client(server: &TestServer) -> Client {
    let keys = &server.api.signer;
    let config = Config::builder()
        .behavior_version_latest()
        .endpoint_url(&server.url)
        .region(Region::new(keys.region.clone()))
        .credentials_provider(Credentials::new(&keys.key, &keys.secret, None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

pub(super) async fn create(client: &Client, name: &str) -> Result<()> {
    let code = FunctionCode::builder().zip_file(Blob::new(programs::bootstrap_package()?)).build();
    let made = client
        .create_function()
        .function_name(name)
        .runtime(Runtime::Providedal2023)
        .handler("any")
        .role(ROLE)
        .architectures(Architecture::X8664)
        .code(code)
        .send()
        .await?;
    assert_eq!(made.state(), Some(&State::Pending));
    client.wait_until_function_active_v2().function_name(name).wait(WAIT).await?;
    Ok(())
}

#[tokio::test]
async fn invokes_through_typed_members() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let (client, name) = (client(&server), "sdk-typed");
    create(&client, name).await?;

    let context = STANDARD.encode(r#"{"custom":{"a":"b"}}"#);
    let event = Blob::new(r#"{"do":"head"}"#);
    let answer =
        client.invoke().function_name(name).client_context(context).payload(event).log_type(LogType::Tail);
    let answer = answer.send().await?;
    let payload = answer.payload().context("no payload")?;
    let head: String = serde_json::from_slice(payload.as_ref())?;
    assert!(head.to_lowercase().contains(r#"lambda-runtime-client-context: {"custom":{"a":"b"}}"#), "{head}");
    assert_eq!((answer.status_code(), answer.executed_version()), (200, Some("$LATEST")));
    assert!(answer.function_error().is_none() && answer.log_result().is_some());

    let failed =
        client.invoke().function_name(name).payload(Blob::new(r#"{"do":"exit","code":3}"#)).send().await?;
    assert_eq!(failed.function_error(), Some("Unhandled"));
    let payload = failed.payload().context("no payload")?.as_ref();
    assert!(String::from_utf8_lossy(payload).contains("exit status 3"));

    client.update_function_configuration().function_name(name).memory_size(256).send().await?;
    client.wait_until_function_updated_v2().function_name(name).wait(WAIT).await?;
    let pages =
        client.list_functions().into_paginator().page_size(1).send().collect::<Result<Vec<_>, _>>().await?;
    assert!(pages.iter().flat_map(|p| p.functions()).any(|f| f.function_name() == Some(name)));
    client.delete_function().function_name(name).send().await?;
    Ok(())
}

#[tokio::test]
async fn errors_have_their_types() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let (client, name) = (client(&server), "sdk-errors");
    create(&client, name).await?;

    let missing = client
        .get_function()
        .function_name("absent")
        .send()
        .await
        .err()
        .context("found")?
        .into_service_error();
    assert!(missing.is_resource_not_found_exception(), "{missing:?}");
    let conflict = create(&client, name).await.err().context("made twice")?;
    let conflict = conflict.downcast::<aws_sdk_lambda::error::SdkError<_>>()?;
    let conflict: aws_sdk_lambda::operation::create_function::CreateFunctionError =
        conflict.into_service_error();
    assert!(conflict.is_resource_conflict_exception(), "{conflict:?}");
    let invalid = client.get_function().function_name("not a name").send().await.err().context("found")?;
    assert_eq!(invalid.code(), Some("ValidationException"));

    client.put_function_concurrency().function_name(name).reserved_concurrent_executions(0).send().await?;
    let throttled =
        client.invoke().function_name(name).send().await.err().context("ran")?.into_service_error();
    ensure!(throttled.is_too_many_requests_exception(), "{throttled:?}");
    if let aws_sdk_lambda::operation::invoke::InvokeError::TooManyRequestsException(e) = throttled {
        assert_eq!(e.reason(), Some(&ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded));
    }
    client.delete_function().function_name(name).send().await?;
    Ok(())
}
