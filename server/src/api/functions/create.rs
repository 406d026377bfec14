//! CreateFunction: checks the settings, stages the package, commits one record, and answers Pending.

use std::collections::BTreeMap;
use std::sync::Arc;

use lambd_model::{
    CodeRef, Configuration, Function, FunctionState, LogFormat, Logging, Sha256, Version, clock,
};
use lambd_wire::{Error, ErrorCode, input, output};
use uuid::Uuid;

use crate::api::rules::target_function::{TargetFunction, invalid};
use crate::api::rules::{activation, errors, package, render, settings};
use crate::api::{Call, permissions};
use crate::app::App;
use crate::registry::RegistryError;

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    target: TargetFunction,
    mut input: input::CreateFunction,
) -> Result<output::CreateFunction, Error> {
    if target.qualifier.is_some() {
        return Err(invalid("A function name for creation must not have a qualifier."));
    }
    permissions::pass_role(call, input.role.as_deref().unwrap_or_default())?;
    refuse_features(&input)?;
    let (runtime, handler) = required_pair(&mut input)?;
    settings::runtime(&app.catalog, &runtime)?;
    let publish = input.publish == Some(true);
    let tags = input.tags.take().unwrap_or_default();
    let code = input.code.take().unwrap_or_default();
    // Settings are checked before the package, because unpacking is expensive.
    let mut latest = settings(input, runtime, handler, &target.id.name)?;
    if app.registry.get(&target.id).is_some() {
        return Err(exists(&target.id.name));
    }
    let staged = package::stage_new(app, code).await?;
    latest.code = package::code_ref(&staged);
    let function = Function {
        latest: Arc::new(Version::latest(&target.id, latest)),
        id: target.id,
        state: FunctionState::Pending,
        last_update: None,
        revision_id: Uuid::new_v4(),
        tags,
        reserved_concurrency: None,
        versions: BTreeMap::new(),
        last_number: 0,
        aliases: BTreeMap::new(),
        policies: BTreeMap::new(),
    };
    let function = if publish { function.publish(None).0 } else { function };
    let name = function.id.name.clone();
    let function = app.registry.create(function).await.map_err(|error| match error {
        RegistryError::Exists => exists(&name),
        other => errors::storage(&other),
    })?;
    drop(staged);
    activation::spawn(app, &function);
    // The published version, but under the function's own ARN [fact:publish-at-create].
    let shown = function.last_published().map_or(&function.latest, |published| &published.version);
    Ok(render::configuration(app, &function, shown, &call.place, None))
}

fn required_pair(input: &mut input::CreateFunction) -> Result<(String, String), Error> {
    let missing = || {
        invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        )
    };
    let runtime = settings::non_empty(input.runtime.take()).ok_or_else(missing)?;
    let handler = settings::non_empty(input.handler.take()).ok_or_else(missing)?;
    Ok((runtime, handler))
}

fn refuse_features(input: &input::CreateFunction) -> Result<(), Error> {
    settings::refuse(input.package_type.as_deref() == Some("Image"), "PackageType Image")?;
    settings::refuse(input.publish_to.is_some(), "PublishTo")?;
    settings::refuse(input.image_config.is_some(), "ImageConfig")?;
    settings::refuse(input.durable_config.is_some(), "DurableConfig")?;
    settings::refuse(input.tenancy_config.is_some(), "TenancyConfig")?;
    settings::refuse(input.capacity_provider_config.is_some(), "CapacityProviderConfig")?;
    settings::refuse(input.code_signing_config_arn.is_some(), "CodeSigningConfigArn")?;
    settings::refuse(input.file_system_configs.as_ref().is_some_and(|l| !l.is_empty()), "FileSystemConfigs")
}

/// The whole configuration except the code, with AWS's defaults [fact:default-members].
fn settings(
    input: input::CreateFunction,
    runtime: String,
    handler: String,
    name: &str,
) -> Result<Configuration, Error> {
    settings::no_layers(input.layers)?;
    let logging = Logging {
        format: LogFormat::Text,
        group: format!("/aws/lambda/{name}"),
        application_level: None,
        system_level: None,
    };
    Ok(Configuration {
        runtime,
        handler,
        role: input.role.unwrap_or_default(),
        description: input.description.unwrap_or_default(),
        timeout_s: settings::timeout(input.timeout)?.unwrap_or(3),
        memory_mib: settings::memory(input.memory_size)?.unwrap_or(128),
        ephemeral_mib: settings::ephemeral(input.ephemeral_storage)?.unwrap_or(512),
        variables: input.environment.map(settings::variables),
        code: CodeRef { sha256: Sha256::of(b""), zipped_bytes: 0 },
        architecture: settings::architecture(input.architectures)?
            .unwrap_or_else(|| settings::host_architecture().to_owned()),
        tracing_mode: settings::tracing_mode(input.tracing_config)
            .unwrap_or_else(|| "PassThrough".to_owned()),
        logging: settings::logging(&logging, input.logging_config.unwrap_or_default())?,
        vpc: input.vpc_config.map(settings::vpc).filter(|vpc| *vpc != lambd_model::Vpc::default()),
        dead_letter_arn: settings::non_empty(input.dead_letter_config.and_then(|c| c.target_arn)),
        kms_key_arn: settings::non_empty(input.kms_key_arn),
        snap_start: input.snap_start.and_then(|s| s.apply_on).unwrap_or_else(|| "None".to_owned()),
        last_modified_ms: clock::now_ms(),
    })
}

fn exists(name: &str) -> Error {
    Error::new(ErrorCode::ResourceConflictException, format!("Function already exist: {name}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    const FUNCTIONS: &str = "/2015-03-31/functions";

    #[tokio::test]
    async fn defaults_are_those_of_aws() {
        let api = Api::new().await;
        let made = api.create("f").await;
        for (member, want) in [
            ("FunctionArn", json!("arn:aws:lambda:us-east-1:000000000000:function:f")),
            ("State", json!("Pending")),
            ("Version", json!("$LATEST")),
            ("Timeout", json!(3)),
            ("MemorySize", json!(128)),
            ("EphemeralStorage", json!({ "Size": 512 })),
            ("TracingConfig", json!({ "Mode": "PassThrough" })),
            ("LoggingConfig", json!({ "LogFormat": "Text", "LogGroup": "/aws/lambda/f" })),
            ("PackageType", json!("Zip")),
            ("Environment", Value::Null),
            ("LastUpdateStatus", Value::Null),
        ] {
            assert_eq!(made[member], want, "{member}");
        }
    }

    #[tokio::test]
    async fn what_is_refused_is_not_created() {
        let api = Api::new().await;
        let with = |member: &str, value: Value| {
            let mut request = function("f");
            request[member] = value;
            request
        };
        for (request, status, text) in [
            (
                with("FunctionName", json!("f:1")),
                400,
                "A function name for creation must not have a qualifier.",
            ),
            (with("FunctionName", json!("111111111111:f")), 403, "No permission on resource: 111111111111:f"),
            (with("Runtime", Value::Null), 400, "Runtime and Handler are mandatory parameters"),
            (with("Runtime", json!("python3.12")), 400, "lambd runtime install python3.12"),
            (with("MemorySize", json!(10_241)), 400, "Member must have value less than or equal to 10240"),
            (
                with("Layers", json!(["arn:aws:lambda:us-east-1:000000000000:layer:l:1"])),
                400,
                "does not exist",
            ),
            (with("Code", json!({ "ZipFile": "bm8gemlw" })), 400, "Could not unzip uploaded file"),
            (with("Code", json!({ "S3Bucket": "bbb", "S3Key": "k" })), 400, "Code from S3 is not supported"),
            (with("Environment", json!({ "Variables": { "AWS_REGION": "x" } })), 400, "reserved keys"),
        ] {
            let (got, _, message) = api.call("POST", FUNCTIONS, request).await.refused();
            assert!(got == status && message.contains(text), "{got} {message}");
        }
        let list = api.call("GET", "/2015-03-31/functions/", Value::Null).await.ok();
        assert_eq!(list["Functions"], json!([]));
    }

    #[tokio::test]
    async fn a_name_is_taken_once_in_each_account_and_region() {
        let api = Api::new().await;
        api.create("f").await;
        let again = api.call("POST", FUNCTIONS, function("f")).await.refused();
        assert_eq!(
            again,
            (409, "ResourceConflictException".to_owned(), "Function already exist: f".to_owned())
        );
        for (account, region) in [(ACCOUNT, "eu-west-1"), ("111111111111", REGION)] {
            let made = api.call_as(account, region, "POST", FUNCTIONS, function("f")).await.ok();
            assert_eq!(made["FunctionArn"], format!("arn:aws:lambda:{region}:{account}:function:f"));
        }
    }
}
