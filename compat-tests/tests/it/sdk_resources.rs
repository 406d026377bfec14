//! The crate aws-sdk-lambda: layers, URLs, event source mappings and provisioned concurrency, by their types.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    Cors, FunctionUrlAuthType, InvokeMode, LayerVersionContentInput, ProvisionedConcurrencyStatusEnum,
    Runtime,
};
use lambd_compat_tests::{TestServer, python};

use super::sdk::{WAIT, client, create};

const PAUSE: Duration = Duration::from_millis(50);

/// Waits until `check` gives a value.
async fn until<T>(what: &str, mut check: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let waiting = async {
        loop {
            match check().await? {
                Some(value) => return Ok(value),
                None => tokio::time::sleep(PAUSE).await,
            }
        }
    };
    tokio::time::timeout(WAIT, waiting).await.with_context(|| format!("not reached: {what}"))?
}

#[tokio::test]
async fn layers_have_typed_members() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let (client, name) = (client(&server), "sdk-layer");
    let zip = python::layer();
    let content = LayerVersionContentInput::builder().zip_file(Blob::new(zip.clone())).build();
    let publish = client.publish_layer_version().layer_name(name).content(content).license_info("MIT");
    let made = publish.compatible_runtimes(Runtime::Python311).send().await?;
    let arn = made.layer_version_arn().context("no ARN")?;
    assert_eq!((made.version(), made.compatible_runtimes()), (1, &[Runtime::Python311][..]));
    let found = client.get_layer_version_by_arn().arn(arn).send().await?;
    let size = found.content().context("no content")?.code_size();
    assert_eq!((usize::try_from(size)?, found.license_info()), (zip.len(), Some("MIT")));
    let pages =
        client.list_layers().compatible_runtime(Runtime::Python311).into_paginator().page_size(1).send();
    let pages = pages.collect::<Result<Vec<_>, _>>().await?;
    let mut newest =
        pages.iter().flat_map(|page| page.layers()).filter(|layer| layer.layer_name() == Some(name));
    let newest = newest.next().and_then(|layer| layer.latest_matching_version()).context("not listed")?;
    assert_eq!((newest.version(), newest.layer_version_arn()), (1, Some(arn)));
    client.delete_layer_version().layer_name(name).version_number(1).send().await?;
    let gone = client.get_layer_version().layer_name(name).version_number(1).send().await;
    let gone = gone.err().context("found")?.into_service_error();
    ensure!(gone.is_resource_not_found_exception(), "{gone:?}");
    Ok(())
}

async fn url(client: &Client, name: &str) -> Result<()> {
    let cors = Cors::builder().allow_origins("*").max_age(60).build();
    let create = client.create_function_url_config().function_name(name).qualifier("live");
    let made = create.auth_type(FunctionUrlAuthType::AwsIam).cors(cors.clone()).send().await?;
    let update = client.update_function_url_config().function_name(name).qualifier("live");
    update.invoke_mode(InvokeMode::ResponseStream).send().await?;
    let found = client.get_function_url_config().function_name(name).qualifier("live").send().await?;
    assert_eq!((found.function_url(), found.cors()), (made.function_url(), Some(&cors)));
    assert_eq!(found.invoke_mode(), Some(&InvokeMode::ResponseStream));
    let again = client.create_function_url_config().function_name(name).qualifier("live");
    let again = again.auth_type(FunctionUrlAuthType::None).send().await.err().context("made twice")?;
    assert!(again.into_service_error().is_resource_conflict_exception());
    client.delete_function_url_config().function_name(name).qualifier("live").send().await?;
    Ok(())
}

async fn provisioned(client: &Client, name: &str) -> Result<()> {
    let put = client.put_provisioned_concurrency_config().function_name(name).qualifier("live");
    let made = put.provisioned_concurrent_executions(1).send().await?;
    assert_eq!(made.status(), Some(&ProvisionedConcurrencyStatusEnum::InProgress));
    let get = || client.get_provisioned_concurrency_config().function_name(name).qualifier("live");
    let ready = until("the environment is ready", async || {
        let found = get().send().await?;
        Ok((found.status() != Some(&ProvisionedConcurrencyStatusEnum::InProgress)).then_some(found))
    })
    .await?;
    assert_eq!(ready.status(), Some(&ProvisionedConcurrencyStatusEnum::Ready), "{ready:?}");
    assert_eq!(ready.allocated_provisioned_concurrent_executions(), Some(1));
    client.delete_provisioned_concurrency_config().function_name(name).qualifier("live").send().await?;
    let gone = get().send().await.err().context("found")?.into_service_error();
    ensure!(gone.is_provisioned_concurrency_config_not_found_exception(), "{gone:?}");
    Ok(())
}

#[tokio::test]
async fn an_alias_has_a_url_and_provisioned_concurrency() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let (client, name) = (client(&server), "sdk-alias");
    create(&client, name).await?;
    client.publish_version().function_name(name).send().await?;
    client.create_alias().function_name(name).name("live").function_version("1").send().await?;
    url(&client, name).await?;
    provisioned(&client, name).await?;
    client.delete_function().function_name(name).send().await?;
    Ok(())
}

#[tokio::test]
async fn an_event_source_mapping_settles_and_goes() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let (client, name) = (client(&server), "sdk-mapping");
    create(&client, name).await?;
    let source = "arn:aws:sqs:us-east-1:000000000000:sdk-mapping";
    let create = client.create_event_source_mapping().function_name(name).event_source_arn(source);
    let made = create.batch_size(5).send().await?;
    let id = made.uuid().context("no UUID")?;
    assert_eq!((made.state(), made.batch_size()), (Some("Creating"), Some(5)));
    let get = || client.get_event_source_mapping().uuid(id);
    until("the mapping is enabled", async || {
        Ok((get().send().await?.state() == Some("Enabled")).then_some(()))
    })
    .await?;
    let pages = client.list_event_source_mappings().function_name(name).into_paginator().send();
    let pages = pages.collect::<Result<Vec<_>, _>>().await?;
    let listed: Vec<_> =
        pages.iter().flat_map(|page| page.event_source_mappings()).filter_map(|found| found.uuid()).collect();
    assert_eq!(listed, [id]);
    client.delete_event_source_mapping().uuid(id).send().await?;
    until("the mapping is gone", async || match get().send().await {
        Ok(_) => Ok(None),
        Err(e) => {
            let e = e.into_service_error();
            ensure!(e.is_resource_not_found_exception(), "{e:?}");
            Ok(Some(()))
        }
    })
    .await?;
    client.delete_function().function_name(name).send().await?;
    Ok(())
}
