//! Capacity providers as the API takes and shows them [fact:capacity-providers].

use std::sync::Arc;

use lambd_model::{Configuration, Function, Place, ResourceId, Version, clock};
use lambd_wire::{Error, ErrorCode, types};

use super::target_function::invalid;
use crate::app::App;
use crate::resources::{CapacityProvider, ProviderScaling, ProviderState, Requirements, Resource as _};

/// vCPUs of a provider whose maximum is not given.
const VCPUS_MAX: i32 = 400;

/// 404 for a provider that does not exist, as the caller named it.
pub(in crate::api) fn missing(name: &str) -> Error {
    Error::new(ErrorCode::ResourceNotFoundException, format!("Capacity provider not found: {name}"))
}

/// Refuses a function on a provider that is not there; a provider is of the function's account and region.
/// Its ARN is kept in one spelling.
pub(in crate::api) fn check(
    app: &App,
    place: &Place,
    configuration: &mut Configuration,
) -> Result<(), Error> {
    let Some(provider) = &mut configuration.capacity_provider else { return Ok(()) };
    let id = ResourceId::parse_arn(&provider.arn, CapacityProvider::SEGMENT).filter(|id| id.is_in(place));
    let found = id.filter(|id| app.resources.capacity_providers.get(id).is_some());
    provider.arn = found.ok_or_else(|| missing(&provider.arn))?.arn(CapacityProvider::SEGMENT);
    Ok(())
}

/// The versions of functions on a provider, ordered by function and number, `$LATEST` first.
pub(in crate::api) fn used_by(app: &App, place: &Place, arn: &str) -> Vec<(Arc<Function>, Arc<Version>)> {
    let is_on = |version: &Version| {
        version.configuration.capacity_provider.as_ref().is_some_and(|provider| provider.arn == arn)
    };
    let functions = app.registry.list(place, None, usize::MAX);
    let versions = functions.iter().flat_map(|function| {
        let versions = function.all_versions().filter(|version| is_on(version));
        versions.map(|version| (Arc::clone(function), Arc::clone(version))).collect::<Vec<_>>()
    });
    versions.collect()
}

/// 409 for a provider that functions are on.
pub(in crate::api) fn in_use(arn: &str) -> Error {
    Error::new(
        ErrorCode::ResourceConflictException,
        format!("The capacity provider {arn} is in use by function versions."),
    )
}

/// 409 for a provider whose last change has not settled.
pub(in crate::api) fn in_transition(state: ProviderState) -> Error {
    Error::new(
        ErrorCode::ResourceConflictException,
        format!(
            "The operation cannot be performed at this time. The capacity provider is currently in the following \
             state: {}",
            state_name(state)
        ),
    )
}

pub(in crate::api) const fn state_name(state: ProviderState) -> &'static str {
    match state {
        ProviderState::Pending => "Pending",
        ProviderState::Active => "Active",
        ProviderState::Deleting => "Deleting",
    }
}

/// A provider as the API shows it.
pub(in crate::api) fn shown(id: &ResourceId, provider: &CapacityProvider) -> types::CapacityProvider {
    let policies =
        provider.scaling.policies.iter().map(|(metric, value)| types::TargetTrackingScalingPolicy {
            predefined_metric_type: Some(metric.clone()),
            target_value: Some(*value),
        });
    types::CapacityProvider {
        capacity_provider_arn: Some(id.arn(CapacityProvider::SEGMENT)),
        state: Some(state_name(provider.state).to_owned()),
        vpc_config: Some(types::CapacityProviderVpcConfig {
            subnet_ids: Some(provider.subnet_ids.clone()),
            security_group_ids: Some(provider.security_group_ids.clone()),
        }),
        permissions_config: Some(types::CapacityProviderPermissionsConfig {
            capacity_provider_operator_role_arn: Some(provider.operator_role.clone()),
        }),
        instance_requirements: provider.requirements.clone().map(|found| types::InstanceRequirements {
            architectures: found.architectures,
            allowed_instance_types: found.allowed,
            excluded_instance_types: found.excluded,
        }),
        capacity_provider_scaling_config: Some(types::CapacityProviderScalingConfig {
            max_v_cpu_count: Some(provider.scaling.vcpus_max),
            scaling_mode: Some(provider.scaling.mode.clone()),
            scaling_policies: (!provider.scaling.policies.is_empty()).then(|| policies.collect()),
        }),
        kms_key_arn: provider.kms_key_arn.clone(),
        last_modified: Some(clock::last_modified(provider.last_modified_ms)),
        propagate_tags: provider.propagated_tags.clone().map(|(mode, tags)| types::PropagateTags {
            mode: Some(mode),
            explicit_tags: (!tags.is_empty()).then_some(tags),
        }),
        telemetry_config: provider.log.clone().map(|(system_log_level, log_group)| {
            let logging = types::CapacityProviderLoggingConfig { system_log_level, log_group };
            types::CapacityProviderTelemetryConfig { logging_config: Some(logging) }
        }),
    }
}

/// The given members over the present ones; policies are for the mode Manual.
pub(in crate::api) fn scaling(
    present: Option<&ProviderScaling>,
    given: Option<types::CapacityProviderScalingConfig>,
) -> Result<ProviderScaling, Error> {
    let mut scaling = present.cloned().unwrap_or_else(|| ProviderScaling {
        vcpus_max: VCPUS_MAX,
        mode: "Auto".to_owned(),
        policies: Vec::new(),
    });
    let given = given.unwrap_or_default();
    scaling.vcpus_max = given.max_v_cpu_count.unwrap_or(scaling.vcpus_max);
    if let Some(mode) = given.scaling_mode {
        if mode == "Auto" {
            scaling.policies.clear();
        }
        scaling.mode = mode;
    }
    if let Some(policies) = given.scaling_policies {
        let pair = |policy: types::TargetTrackingScalingPolicy| {
            Some((policy.predefined_metric_type?, policy.target_value?))
        };
        scaling.policies = policies.into_iter().filter_map(pair).collect();
    }
    if (scaling.mode == "Manual") == scaling.policies.is_empty() {
        return Err(invalid("ScalingPolicies are required for ScalingMode Manual and not allowed for Auto."));
    }
    Ok(scaling)
}

pub(in crate::api) fn requirements(given: types::InstanceRequirements) -> Requirements {
    Requirements {
        architectures: given.architectures,
        allowed: given.allowed_instance_types,
        excluded: given.excluded_instance_types,
    }
}

/// The mode and the tags that instances get.
pub(in crate::api) fn propagated(
    given: types::PropagateTags,
) -> (String, std::collections::BTreeMap<String, String>) {
    (given.mode.unwrap_or_else(|| "None".to_owned()), given.explicit_tags.unwrap_or_default())
}

/// Level and group of the provider's own log; nothing if none is given.
pub(in crate::api) fn log(
    given: types::CapacityProviderTelemetryConfig,
) -> Option<(Option<String>, Option<String>)> {
    given.logging_config.map(|config| (config.system_log_level, config.log_group))
}
