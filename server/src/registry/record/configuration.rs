//! The stored form of a configuration.

mod parts;

use std::collections::BTreeMap;

use lambd_model::{Configuration, Variables};
use serde::{Deserialize, Serialize};

use parts::{
    CapacityProviderRecord, CodeRecord, DurableRecord, FileSystemRecord, ImageRecord, LayerRecord,
    LoggingRecord, VpcRecord,
};

/// The stored form of the code and the settings of one version.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigurationRecord {
    runtime: String,
    handler: String,
    role: String,
    description: String,
    timeout_s: u32,
    memory_mib: u32,
    ephemeral_mib: u32,
    environment: Option<BTreeMap<String, String>>,
    code: CodeRecord,
    layers: Vec<LayerRecord>,
    architecture: String,
    tracing_mode: String,
    logging: LoggingRecord,
    vpc: Option<VpcRecord>,
    file_systems: Vec<FileSystemRecord>,
    image: Option<ImageRecord>,
    durable: Option<DurableRecord>,
    tenant_isolation: Option<String>,
    capacity_provider: Option<CapacityProviderRecord>,
    dead_letter_arn: Option<String>,
    kms_key_arn: Option<String>,
    snap_start: String,
    last_modified_ms: i64,
}

impl ConfigurationRecord {
    /// Names every member, so that a new one cannot be forgotten.
    pub(super) fn of(configuration: &Configuration) -> Self {
        let Configuration {
            runtime,
            handler,
            role,
            description,
            timeout_s,
            memory_mib,
            ephemeral_mib,
            variables,
            code,
            layers,
            architecture,
            tracing_mode,
            logging,
            vpc,
            file_systems,
            image,
            durable,
            tenant_isolation,
            capacity_provider,
            dead_letter_arn,
            kms_key_arn,
            snap_start,
            last_modified_ms,
        } = configuration.clone();
        Self {
            runtime,
            handler,
            role,
            description,
            timeout_s,
            memory_mib,
            ephemeral_mib,
            environment: variables.map(|Variables(variables)| variables),
            code: CodeRecord::of(code),
            layers: layers.into_iter().map(LayerRecord::of).collect(),
            architecture,
            tracing_mode,
            logging: LoggingRecord::of(logging),
            vpc: vpc.map(VpcRecord::of),
            file_systems: file_systems.into_iter().map(FileSystemRecord::of).collect(),
            image: image.map(|image| ImageRecord::of(*image)),
            durable: durable.map(|durable| DurableRecord::of(*durable)),
            tenant_isolation,
            capacity_provider: capacity_provider.map(|provider| CapacityProviderRecord::of(*provider)),
            dead_letter_arn,
            kms_key_arn,
            snap_start,
            last_modified_ms,
        }
    }

    pub(super) fn into_configuration(self) -> Configuration {
        Configuration {
            runtime: self.runtime,
            handler: self.handler,
            role: self.role,
            description: self.description,
            timeout_s: self.timeout_s,
            memory_mib: self.memory_mib,
            ephemeral_mib: self.ephemeral_mib,
            variables: self.environment.map(Variables),
            code: self.code.into_code(),
            layers: self.layers.into_iter().map(LayerRecord::into_layer).collect(),
            architecture: self.architecture,
            tracing_mode: self.tracing_mode,
            logging: self.logging.into_logging(),
            vpc: self.vpc.map(VpcRecord::into_vpc),
            file_systems: self.file_systems.into_iter().map(FileSystemRecord::into_file_system).collect(),
            image: self.image.map(|image| Box::new(image.into_image())),
            durable: self.durable.map(|durable| Box::new(durable.into_durable())),
            tenant_isolation: self.tenant_isolation,
            capacity_provider: self
                .capacity_provider
                .map(|provider| Box::new(provider.into_capacity_provider())),
            dead_letter_arn: self.dead_letter_arn,
            kms_key_arn: self.kms_key_arn,
            snap_start: self.snap_start,
            last_modified_ms: self.last_modified_ms,
        }
    }
}
