//! A function as the API shows it, with every member that AWS always shows [fact:default-members].

use lambd_model::{
    Alias, CapacityProviderRef, Durable, FileSystem, Function, FunctionState, LATEST, LastUpdate, LayerRef,
    LogFormat, Logging, Place, Sha256, Version, Vpc, clock,
};
use lambd_wire::types;

use super::image;
use crate::app::App;

/// The reason that AWS gives both for a create and for an update.
const BEING_CREATED: &str = "The function is being created.";

/// `FunctionConfiguration` of one of the function's versions; the ARN is qualified if the caller asked with a
/// qualifier. A version that is published with its function is Pending as long as the function is; an update
/// concerns `$LATEST` alone.
pub(in crate::api) fn configuration(
    app: &App,
    function: &Function,
    version: &Version,
    place: &Place,
    qualifier: Option<&str>,
) -> types::FunctionConfiguration {
    let config = &version.configuration;
    let zip = config.image.is_none();
    let pending = function.state == FunctionState::Pending;
    let last_update = match function.last_update {
        Some(_) if version.qualifier != LATEST => Some(LastUpdate::Successful),
        other => other,
    };
    let updating = last_update == Some(LastUpdate::InProgress);
    let text = |condition: bool, text: &str| condition.then(|| text.to_owned());
    types::FunctionConfiguration {
        function_name: Some(function.id.name.clone()),
        function_arn: Some(place.qualified_arn(&function.id.name, qualifier)),
        runtime: zip.then(|| config.runtime.clone()),
        role: Some(config.role.clone()),
        handler: zip.then(|| config.handler.clone()),
        code_size: i64::try_from(config.code.zipped_bytes).ok(),
        code_sha256: Some(if zip { config.code.sha256.base64() } else { config.code.sha256.hex() }),
        description: Some(config.description.clone()),
        timeout: i32::try_from(config.timeout_s).ok(),
        memory_size: i32::try_from(config.memory_mib).ok(),
        last_modified: Some(clock::last_modified(config.last_modified_ms)),
        version: Some(version.qualifier.clone()),
        vpc_config: config.vpc.as_ref().map(vpc),
        dead_letter_config: config
            .dead_letter_arn
            .clone()
            .map(|arn| types::DeadLetterConfig { target_arn: Some(arn) }),
        environment: config.variables.as_ref().map(|variables| types::EnvironmentResponse {
            variables: Some(variables.0.clone()),
            ..Default::default()
        }),
        kms_key_arn: config.kms_key_arn.clone(),
        tracing_config: Some(types::TracingConfigResponse { mode: Some(config.tracing_mode.clone()) }),
        revision_id: Some(function.revision_of(version).to_string()),
        state: Some(if pending { "Pending" } else { "Active" }.to_owned()),
        state_reason: text(pending, BEING_CREATED),
        state_reason_code: text(pending, "Creating"),
        last_update_status: last_update.map(|update| {
            if update == LastUpdate::InProgress { "InProgress" } else { "Successful" }.to_owned()
        }),
        last_update_status_reason: text(updating, BEING_CREATED),
        last_update_status_reason_code: text(updating, "Creating"),
        package_type: Some(if zip { "Zip" } else { "Image" }.to_owned()),
        image_config_response: config.image.as_ref().and_then(|image| image::shown(&image.config)),
        layers: layers(&config.layers),
        file_system_configs: file_systems(&config.file_systems),
        durable_config: config.durable.as_deref().map(durable),
        tenancy_config: config
            .tenant_isolation
            .clone()
            .map(|mode| types::TenancyConfig { tenant_isolation_mode: Some(mode) }),
        capacity_provider_config: config.capacity_provider.as_deref().map(capacity_provider),
        architectures: Some(vec![config.architecture.clone()]),
        ephemeral_storage: Some(types::EphemeralStorage { size: i32::try_from(config.ephemeral_mib).ok() }),
        snap_start: Some(types::SnapStartResponse {
            apply_on: Some(config.snap_start.clone()),
            optimization_status: Some("Off".to_owned()),
        }),
        logging_config: Some(logging(&config.logging)),
        runtime_version_config: zip.then(|| types::RuntimeVersionConfig {
            runtime_version_arn: Some(runtime_version_arn(app, place, &config.runtime)),
            error: None,
        }),
        ..Default::default()
    }
}

/// The same in a list of versions, which tells no states.
pub(in crate::api) fn listed(
    app: &App,
    function: &Function,
    version: &Version,
    place: &Place,
) -> types::FunctionConfiguration {
    types::FunctionConfiguration {
        state: None,
        state_reason: None,
        state_reason_code: None,
        last_update_status: None,
        last_update_status_reason: None,
        last_update_status_reason_code: None,
        ..configuration(app, function, version, place, Some(&version.qualifier))
    }
}

/// An alias; without a second version it has no routing.
pub(in crate::api) fn alias(
    place: &Place,
    function: &str,
    name: &str,
    alias: &Alias,
) -> types::AliasConfiguration {
    types::AliasConfiguration {
        alias_arn: Some(place.qualified_arn(function, Some(name))),
        name: Some(name.to_owned()),
        function_version: Some(alias.version.clone()),
        description: Some(alias.description.clone()),
        routing_config: alias.second.map(|(number, share)| types::AliasRoutingConfiguration {
            additional_version_weights: Some([(number.to_string(), share)].into()),
        }),
        revision_id: Some(alias.revision_id.to_string()),
    }
}

/// Names the installed build of the runtime. One that was removed, or cannot be read, is named by its identifier
/// alone, so that the member is never missing.
pub(in crate::api) fn runtime_version_arn(app: &App, place: &Place, runtime: &str) -> String {
    let installed = app.catalog.find(runtime).ok().flatten();
    let version =
        installed.map_or_else(|| Sha256::of(runtime.as_bytes()).hex(), |found| found.version().to_owned());
    format!("arn:aws:lambda:{}::runtime:{version}", place.region)
}

fn layers(layers: &[LayerRef]) -> Option<Vec<types::Layer>> {
    let layer = |layer: &LayerRef| types::Layer {
        arn: Some(layer.arn.clone()),
        code_size: i64::try_from(layer.code.zipped_bytes).ok(),
        ..Default::default()
    };
    (!layers.is_empty()).then(|| layers.iter().map(layer).collect())
}

fn file_systems(file_systems: &[FileSystem]) -> Option<Vec<types::FileSystemConfig>> {
    let file_system = |file_system: &FileSystem| types::FileSystemConfig {
        arn: Some(file_system.arn.clone()),
        local_mount_path: Some(file_system.local_mount_path.clone()),
        ..Default::default()
    };
    (!file_systems.is_empty()).then(|| file_systems.iter().map(file_system).collect())
}

fn durable(durable: &Durable) -> types::DurableConfig {
    types::DurableConfig {
        execution_timeout: i32::try_from(durable.execution_timeout_s).ok(),
        retention_period_in_days: i32::try_from(durable.retention_days).ok(),
        kms_key_arn: durable.kms_key_arn.clone(),
    }
}

fn capacity_provider(provider: &CapacityProviderRef) -> types::CapacityProviderConfig {
    types::CapacityProviderConfig {
        lambda_managed_instances_capacity_provider_config: Some(
            types::LambdaManagedInstancesCapacityProviderConfig {
                capacity_provider_arn: Some(provider.arn.clone()),
                per_execution_environment_max_concurrency: provider
                    .max_concurrency
                    .and_then(|n| i32::try_from(n).ok()),
                execution_environment_memory_gi_b_per_v_cpu: provider.memory_gib_per_vcpu,
            },
        ),
    }
}

fn vpc(vpc: &Vpc) -> types::VpcConfigResponse {
    types::VpcConfigResponse {
        subnet_ids: Some(vpc.subnet_ids.clone()),
        security_group_ids: Some(vpc.security_group_ids.clone()),
        vpc_id: Some(String::new()),
        ipv6_allowed_for_dual_stack: Some(vpc.ipv6_allowed),
    }
}

fn logging(logging: &Logging) -> types::LoggingConfig {
    types::LoggingConfig {
        log_format: Some(if logging.format == LogFormat::Json { "JSON" } else { "Text" }.to_owned()),
        application_log_level: logging.application_level.clone(),
        system_log_level: logging.system_level.clone(),
        log_group: Some(logging.group.clone()),
    }
}
