//! CreateFunction: checks the settings, stages the package, commits one record, and answers Pending.

use std::collections::BTreeMap;
use std::sync::Arc;

use lambd_model::{
    Attached, CodeRef, Configuration, Function, FunctionState, Image, LogFormat, Logging, Sha256, Version,
    clock, host_architecture,
};
use lambd_wire::{Error, ErrorCode, input, output};
use uuid::Uuid;

use crate::api::rules::target_function::{TargetFunction, invalid};
use crate::api::rules::{
    activation, capacity, errors, features, image, layers, package, render, settings, signing, tags,
};
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
    let program = match input.package_type.as_deref() {
        Some("Image") => image_program(&mut input)?,
        _ => zip_program(app, &mut input)?,
    };
    let is_image = program.image.is_some();
    let signed = settings::non_empty(input.code_signing_config_arn.take());
    let signing_config = signed.map(|arn| signing::named(app, &call.place, &arn)).transpose()?;
    signing::check_code(signing_config.as_ref().map(|(_, config)| &**config))?;
    let publish = input.publish == Some(true);
    let tags = tags::given(input.tags.take())?;
    let source = package::Source::from(input.code.take().unwrap_or_default());
    // Settings are checked before the package, because unpacking is expensive.
    let mut latest = settings(app, call, input, program, &target.id.name)?;
    if app.registry.get(&target.id).is_some() {
        return Err(exists(&target.id.name));
    }
    let staged = source.stage(app, call, is_image).await?;
    staged.put_into(&mut latest);
    let merged = package::merge_layers(app, &latest).await?;
    let mut attached = Attached::default();
    signing::attach(&mut attached, signing_config.map(|(id, _)| id));
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
        attached,
    };
    let function = if publish { function.publish(None).0 } else { function };
    let name = function.id.name.clone();
    let function = app.registry.create(function).await.map_err(|error| match error {
        RegistryError::Exists => exists(&name),
        other => errors::storage(&other),
    })?;
    drop(staged);
    drop(merged);
    activation::spawn(app, &function);
    // The published version, but under the function's own ARN [fact:publish-at-create].
    let shown = function.last_published().map_or(&function.latest, |published| &published.version);
    Ok(render::configuration(app, &function, shown, &call.place, None))
}

/// What a function runs, apart from its code: a runtime and a handler, or an image.
struct Program {
    runtime: String,
    handler: String,
    image: Option<Box<Image>>,
}

fn image_program(input: &mut input::CreateFunction) -> Result<Program, Error> {
    let layers = input.layers.as_ref().is_some_and(|layers| !layers.is_empty());
    image::refuse_zip_settings(input.runtime.is_some() || input.handler.is_some() || layers)?;
    let config = image::config(input.image_config.take().unwrap_or_default());
    let image = Some(Box::new(Image { uri: String::new(), config }));
    Ok(Program { runtime: String::new(), handler: String::new(), image })
}

fn zip_program(app: &App, input: &mut input::CreateFunction) -> Result<Program, Error> {
    let missing = || {
        invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        )
    };
    let runtime = settings::non_empty(input.runtime.take()).ok_or_else(missing)?;
    let handler = settings::non_empty(input.handler.take()).ok_or_else(missing)?;
    settings::runtime(app, &runtime)?;
    image::refuse_config(input.image_config.as_ref())?;
    Ok(Program { runtime, handler, image: None })
}

fn refuse_features(input: &input::CreateFunction) -> Result<(), Error> {
    settings::refuse(input.publish_to.is_some(), "PublishTo")?;
    settings::refuse(input.runtime_config.is_some(), "RuntimeConfig")?;
    settings::refuse(input.accelerator_config.is_some(), "AcceleratorConfig")
}

/// The whole configuration except the code, with AWS's defaults [fact:default-members].
fn settings(
    app: &App,
    call: &Call,
    input: input::CreateFunction,
    program: Program,
    name: &str,
) -> Result<Configuration, Error> {
    let Program { runtime, handler, image } = program;
    let logging = Logging {
        format: LogFormat::Text,
        group: format!("/aws/lambda/{name}"),
        application_level: None,
        system_level: None,
    };
    let vpc = input.vpc_config.map(|vpc| settings::vpc(app, vpc)).transpose()?;
    let mut configuration = Configuration {
        runtime,
        handler,
        role: input.role.unwrap_or_default(),
        description: input.description.unwrap_or_default(),
        timeout_s: settings::timeout(input.timeout)?.unwrap_or(3),
        memory_mib: settings::memory(input.memory_size)?.unwrap_or(128),
        ephemeral_mib: settings::ephemeral(input.ephemeral_storage)?.unwrap_or(512),
        variables: input.environment.map(settings::variables),
        code: CodeRef { sha256: Sha256::of(b""), zipped_bytes: 0 },
        layers: layers::resolve(app, call, &input.layers.unwrap_or_default(), &[])?,
        architecture: settings::architecture(app, input.architectures)?
            .unwrap_or_else(|| host_architecture().to_owned()),
        tracing_mode: settings::tracing_mode(input.tracing_config)
            .unwrap_or_else(|| "PassThrough".to_owned()),
        logging: settings::logging(&logging, input.logging_config.unwrap_or_default())?,
        vpc: vpc.filter(|vpc| *vpc != lambd_model::Vpc::default()),
        file_systems: features::file_systems(input.file_system_configs.unwrap_or_default()),
        image,
        durable: input.durable_config.map(features::durable).transpose()?.map(Box::new),
        tenant_isolation: input.tenancy_config.and_then(|tenancy| tenancy.tenant_isolation_mode),
        capacity_provider: input.capacity_provider_config.and_then(features::capacity_provider).map(Box::new),
        dead_letter_arn: settings::non_empty(input.dead_letter_config.and_then(|c| c.target_arn)),
        kms_key_arn: settings::non_empty(input.kms_key_arn),
        snap_start: input.snap_start.and_then(|s| s.apply_on).unwrap_or_else(|| "None".to_owned()),
        last_modified_ms: clock::now_ms(),
    };
    features::check(&configuration)?;
    capacity::check(app, &call.place, &mut configuration)?;
    Ok(configuration)
}

fn exists(name: &str) -> Error {
    Error::new(ErrorCode::ResourceConflictException, format!("Function already exist: {name}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;
    use crate::config::Settings;

    const FUNCTIONS: &str = "/2015-03-31/functions";
    const ACCESS_POINT: &str =
        "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0";

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
            (with("Runtime", json!("python2.8")), 400, "Value python2.8 at 'runtime' failed to satisfy"),
            (with("Runtime", json!("nodejs12.x")), 400, "The runtime parameter of nodejs12.x is no longer"),
            (with("PackageType", json!("Image")), 400, "Please don't provide Handler or Runtime or Layer"),
            (with("ImageConfig", json!({ "Command": ["a"] })), 400, "Please don't provide ImageConfig"),
            (with("DurableConfig", json!({})), 400, "ExecutionTimeout is required"),
            (
                with("SnapStart", json!({ "ApplyOn": "PublishedVersions" })),
                400,
                "is not supported for SnapStart",
            ),
            (
                with("FileSystemConfigs", json!([{ "Arn": ACCESS_POINT, "LocalMountPath": "/mnt/a" }])),
                400,
                "VpcConfig is required",
            ),
            (with("MemorySize", json!(10_241)), 400, "Member must have value less than or equal to 10240"),
            (
                with("Layers", json!(["arn:aws:lambda:us-east-1:000000000000:layer:l:1"])),
                400,
                "does not exist",
            ),
            (with("Code", json!({ "ZipFile": "bm8gemlw" })), 400, "Could not unzip uploaded file"),
            (
                with("Code", json!({ "S3Bucket": "bbb", "S3Key": "k" })),
                400,
                "Code from S3 needs the setting s3_endpoint",
            ),
            (with("Environment", json!({ "Variables": { "AWS_REGION": "x" } })), 400, "reserved keys"),
        ] {
            let (got, _, message) = api.call("POST", FUNCTIONS, request).await.refused();
            assert!(got == status && message.contains(text), "{got} {message}");
        }
        let list = api.call("GET", "/2015-03-31/functions/", Value::Null).await.ok();
        assert_eq!(list["Functions"], json!([]));
    }

    #[tokio::test]
    async fn what_cannot_run_is_stored_and_shown_and_says_so_when_it_is_invoked() {
        let api = Api::new().await;
        let durable = json!({ "ExecutionTimeout": 60, "RetentionPeriodInDays": 14 });
        let tenancy = json!({ "TenantIsolationMode": "PER_TENANT" });
        let files = json!([{ "Arn": ACCESS_POINT, "LocalMountPath": "/mnt/a" }]);
        let vpc = json!({ "SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"] });
        for (name, members, status, text) in [
            ("runtime", json!({ "Runtime": "python3.12" }), 502, "lambd runtime install python3.12"),
            (
                "architecture",
                json!({ "Architectures": ["arm64"] }),
                502,
                "Functions for another architecture than this machine's are not run",
            ),
            (
                "files",
                json!({ "FileSystemConfigs": files, "VpcConfig": vpc }),
                403,
                "file systems are not run",
            ),
            ("durable", json!({ "DurableConfig": durable }), 400, "Durable functions are not run"),
            ("tenancy", json!({ "TenancyConfig": tenancy }), 400, "Add a valid tenant ID in your request"),
        ] {
            let mut request = function(name);
            request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            request["Publish"] = json!(true);
            api.call("POST", FUNCTIONS, request).await.ok();
            api.settled(name).await;
            let found = api.call("GET", &format!("{FUNCTIONS}/{name}"), Value::Null).await.ok();
            for (member, want) in
                members.as_object().unwrap().iter().filter(|(member, _)| *member != "VpcConfig")
            {
                assert_eq!(&found["Configuration"][member], want, "{name}");
            }
            let invoked = api.call("POST", &format!("{FUNCTIONS}/{name}:1/invocations"), json!({})).await;
            let (got, _, message) = invoked.refused();
            assert!(got == status && message.contains(text), "{name}: {got} {message}");
        }
    }

    #[tokio::test]
    async fn an_image_has_an_address_and_no_handler() {
        let api = Api::new().await;
        let digest = "0a".repeat(32);
        let uri = format!("registry.example/app@sha256:{digest}");
        let request = json!({
            "FunctionName": "f", "Role": "arn:aws:iam::000000000000:role/r", "PackageType": "Image",
            "Code": { "ImageUri": uri }, "ImageConfig": { "Command": ["app.handler"], "WorkingDirectory": "" },
        });
        let made = api.call("POST", FUNCTIONS, request.clone()).await.ok();
        for (member, want) in [
            ("PackageType", json!("Image")),
            ("ImageConfigResponse", json!({ "ImageConfig": { "Command": ["app.handler"] } })),
            ("CodeSha256", json!(digest)),
            ("CodeSize", json!(0)),
            ("Runtime", Value::Null),
            ("Handler", Value::Null),
            ("RuntimeVersionConfig", Value::Null),
        ] {
            assert_eq!(made[member], want, "{member}");
        }
        api.settled("f").await;
        let found = api.call("GET", &format!("{FUNCTIONS}/f"), Value::Null).await.ok();
        assert_eq!(
            found["Code"],
            json!({ "RepositoryType": "ECR", "ImageUri": uri, "ResolvedImageUri": uri })
        );
        let code = format!("{FUNCTIONS}/f/code");
        let updated = api.call("PUT", &code, json!({ "ImageUri": "registry.example/app:2" })).await.ok();
        assert_ne!(updated["CodeSha256"], made["CodeSha256"]);
        api.settled("f").await;
        let configuration = format!("{FUNCTIONS}/f/configuration");
        let cleared = api.call("PUT", &configuration, json!({ "ImageConfig": {} })).await.ok();
        assert_eq!(cleared["ImageConfigResponse"], Value::Null);
        api.settled("f").await;
        let mut other = request;
        other["FunctionName"] = json!("g");
        other["Code"] = json!({ "ImageUri": "not an address" });
        for (method, path, request, status, text) in [
            ("POST", FUNCTIONS, other, 400, "Source image not an address is not valid."),
            ("PUT", &code, json!({ "ZipFile": zip("two") }), 400, "Please provide ImageUri when updating"),
            (
                "PUT",
                &configuration,
                json!({ "Handler": "x.y" }),
                400,
                "Please don't provide Handler or Runtime",
            ),
            ("POST", "/2015-03-31/functions/f/invocations", json!({}), 502, "Container images are not run"),
        ] {
            let (got, _, message) = api.call(method, path, request).await.refused();
            assert!(got == status && message.contains(text), "{got} {message}");
        }
    }

    #[tokio::test]
    async fn the_configuration_may_require_what_can_run() {
        let mut config = Settings::default().into_config();
        config.require_installed_runtime = true;
        let api = Api::with(config).await;
        for (member, value, text) in [
            ("Runtime", json!("python3.12"), "lambd runtime install python3.12"),
            ("Architectures", json!(["arm64"]), "Architecture arm64 cannot run on this machine"),
        ] {
            let mut request = function("f");
            request[member] = value;
            let (status, _, message) = api.call("POST", FUNCTIONS, request).await.refused();
            assert!(status == 400 && message.contains(text), "{message}");
        }
        api.create("f").await;
    }

    #[tokio::test]
    async fn the_configuration_may_say_what_a_vpc_has() {
        let mut config = Settings::default().into_config();
        config.subnets = "subnet-1, subnet-2".to_owned();
        config.security_groups = "sg-1".to_owned();
        let api = Api::with(config).await;
        for (subnet, group, text) in [
            (
                "subnet-3",
                "sg-1",
                "InvalidSubnetID.NotFound. EC2 Error Message: The subnet ID 'subnet-3' does not",
            ),
            (
                "subnet-2",
                "sg-2",
                "InvalidGroup.NotFound. EC2 Error Message: The security group 'sg-2' does not",
            ),
        ] {
            let mut request = function("f");
            request["VpcConfig"] = json!({ "SubnetIds": [subnet], "SecurityGroupIds": [group] });
            let (status, _, message) = api.call("POST", FUNCTIONS, request).await.refused();
            assert!(status == 400 && message.contains(text), "{message}");
        }
        let mut request = function("f");
        request["VpcConfig"] = json!({ "SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"] });
        api.call("POST", FUNCTIONS, request).await.ok();
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
