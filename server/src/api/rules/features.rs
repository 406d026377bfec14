//! Kinds of functions that are stored, but not executed: their settings, and what an invocation of one answers.

use lambd_model::{CapacityProviderRef, Configuration, Durable, FileSystem, Obstacle};
use lambd_wire::{Error, ErrorCode, types};

use super::settings;
use super::target_function::invalid;

/// `RetentionPeriodInDays` when none is given [fact:durable-config].
const RETENTION_DAYS: u32 = 14;
/// Least memory of a function on managed instances, MiB [fact:managed-instances].
const MANAGED_MEMORY_MIB_MIN: u32 = 2048;

/// `DurableConfig` of a new function.
pub(in crate::api) fn durable(given: types::DurableConfig) -> Result<Durable, Error> {
    let timeout = given.execution_timeout.and_then(|seconds| u32::try_from(seconds).ok());
    Ok(Durable {
        execution_timeout_s: timeout
            .ok_or_else(|| invalid("ExecutionTimeout is required when DurableConfig is provided."))?,
        retention_days: retention(given.retention_period_in_days).unwrap_or(RETENTION_DAYS),
        kms_key_arn: settings::non_empty(given.kms_key_arn),
    })
}

/// Merges `DurableConfig` into that of a durable function; no other function becomes one.
pub(in crate::api) fn update_durable(
    before: Option<&Durable>,
    given: types::DurableConfig,
) -> Result<Durable, Error> {
    let before =
        before.ok_or_else(|| invalid("DurableConfig can only be set when the function is created."))?;
    let timeout = given.execution_timeout.and_then(|seconds| u32::try_from(seconds).ok());
    Ok(Durable {
        execution_timeout_s: timeout.unwrap_or(before.execution_timeout_s),
        retention_days: retention(given.retention_period_in_days).unwrap_or(before.retention_days),
        kms_key_arn: given
            .kms_key_arn
            .map_or_else(|| before.kms_key_arn.clone(), |arn| settings::non_empty(Some(arn))),
    })
}

fn retention(days: Option<i32>) -> Option<u32> {
    days.and_then(|days| u32::try_from(days).ok())
}

/// `FileSystemConfigs`; they need a VPC.
pub(in crate::api) fn file_systems(given: Vec<types::FileSystemConfig>) -> Vec<FileSystem> {
    let file_system = |given: types::FileSystemConfig| FileSystem {
        arn: given.arn.unwrap_or_default(),
        local_mount_path: given.local_mount_path.unwrap_or_default(),
    };
    given.into_iter().map(file_system).collect()
}

/// `CapacityProviderConfig`.
pub(in crate::api) fn capacity_provider(given: types::CapacityProviderConfig) -> Option<CapacityProviderRef> {
    let given = given.lambda_managed_instances_capacity_provider_config?;
    Some(CapacityProviderRef {
        arn: given.capacity_provider_arn.unwrap_or_default(),
        max_concurrency: given.per_execution_environment_max_concurrency.and_then(|n| u32::try_from(n).ok()),
        memory_gib_per_vcpu: given.execution_environment_memory_gi_b_per_v_cpu,
    })
}

/// Rules between settings, which hold after a create or an update.
pub(in crate::api) fn check(configuration: &Configuration) -> Result<(), Error> {
    let Configuration { vpc, file_systems, tenant_isolation, capacity_provider, snap_start, .. } =
        configuration;
    let in_vpc = vpc.as_ref().is_some_and(|vpc| !vpc.subnet_ids.is_empty());
    if !file_systems.is_empty() && !in_vpc {
        return Err(invalid("VpcConfig is required when FileSystemConfigs is provided."));
    }
    if capacity_provider.is_some() && configuration.memory_mib < MANAGED_MEMORY_MIB_MIN {
        return Err(invalid("MemorySize must be at least 2048 when CapacityProviderConfig is provided."));
    }
    if snap_start == "PublishedVersions" {
        if tenant_isolation.is_some() {
            return Err(invalid("SnapStart is not supported for functions with TenancyConfig."));
        }
        if !has_snap_start(&configuration.runtime) {
            let runtime = &configuration.runtime;
            return Err(invalid(format!("{runtime} is not supported for SnapStart enabled functions.")));
        }
    }
    Ok(())
}

/// Runtimes with SnapStart [fact:snap-start-runtimes].
fn has_snap_start(runtime: &str) -> bool {
    let minor = |prefix: &str| runtime.strip_prefix(prefix).and_then(|minor| minor.parse::<u32>().ok());
    runtime.starts_with("java") && !runtime.starts_with("java8")
        || minor("python3.").is_some_and(|minor| minor >= 12)
        || minor("dotnet").is_some_and(|major| major >= 8)
}

/// Refuses to run a version that this release cannot run as its settings ask for [fact:tenant-texts].
pub(in crate::api) fn refuse_to_run(
    configuration: &Configuration,
    tenant: Option<&str>,
) -> Result<(), Error> {
    match (&configuration.tenant_isolation, tenant) {
        (Some(_), None) => {
            return Err(invalid(
                "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your \
                 request and try again.",
            ));
        }
        (None, Some(_)) => {
            return Err(invalid(
                "The invoked function is not enabled with tenancy configuration. Remove the tenant ID from \
                 your request and try again.",
            ));
        }
        _ => {}
    }
    let Some(obstacle) = configuration.obstacle() else { return Ok(()) };
    let text = obstacle.to_string();
    Err(match obstacle {
        Obstacle::Image | Obstacle::Architecture => Error::new(ErrorCode::InvalidRuntimeException, text),
        Obstacle::FileSystems => Error::new(ErrorCode::EFSMountFailureException, text),
        Obstacle::Tenants | Obstacle::Durable | Obstacle::CapacityProvider => invalid(text),
    })
}
