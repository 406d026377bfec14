//! The stored forms of a configuration's parts. Each names every member, so that a new one cannot be forgotten.

use lambd_model::{
    CapacityProviderRef, CodeRef, Durable, FileSystem, Image, ImageConfig, LayerRef, LogFormat, Logging,
    Sha256, Vpc,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeRecord {
    /// 64 hexadecimal digits.
    sha256: Sha256,
    zipped_bytes: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LayerRecord {
    arn: String,
    code: CodeRecord,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LoggingRecord {
    format: FormatRecord,
    group: String,
    application_level: Option<String>,
    system_level: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
enum FormatRecord {
    Text,
    Json,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VpcRecord {
    subnet_ids: Vec<String>,
    security_group_ids: Vec<String>,
    ipv6_allowed: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileSystemRecord {
    arn: String,
    local_mount_path: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImageRecord {
    uri: String,
    entry_point: Vec<String>,
    command: Vec<String>,
    working_directory: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DurableRecord {
    execution_timeout_s: u32,
    retention_days: u32,
    kms_key_arn: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CapacityProviderRecord {
    arn: String,
    max_concurrency: Option<u32>,
    memory_gib_per_vcpu: Option<f64>,
}

impl CodeRecord {
    pub(super) fn of(CodeRef { sha256, zipped_bytes }: CodeRef) -> Self {
        Self { sha256, zipped_bytes }
    }

    pub(super) fn into_code(self) -> CodeRef {
        let Self { sha256, zipped_bytes } = self;
        CodeRef { sha256, zipped_bytes }
    }
}

impl LayerRecord {
    pub(super) fn of(LayerRef { arn, code }: LayerRef) -> Self {
        Self { arn, code: CodeRecord::of(code) }
    }

    pub(super) fn into_layer(self) -> LayerRef {
        let Self { arn, code } = self;
        LayerRef { arn, code: code.into_code() }
    }
}

impl LoggingRecord {
    pub(super) fn of(Logging { format, group, application_level, system_level }: Logging) -> Self {
        let format = match format {
            LogFormat::Text => FormatRecord::Text,
            LogFormat::Json => FormatRecord::Json,
        };
        Self { format, group, application_level, system_level }
    }

    pub(super) fn into_logging(self) -> Logging {
        let Self { format, group, application_level, system_level } = self;
        let format = match format {
            FormatRecord::Text => LogFormat::Text,
            FormatRecord::Json => LogFormat::Json,
        };
        Logging { format, group, application_level, system_level }
    }
}

impl VpcRecord {
    pub(super) fn of(Vpc { subnet_ids, security_group_ids, ipv6_allowed }: Vpc) -> Self {
        Self { subnet_ids, security_group_ids, ipv6_allowed }
    }

    pub(super) fn into_vpc(self) -> Vpc {
        let Self { subnet_ids, security_group_ids, ipv6_allowed } = self;
        Vpc { subnet_ids, security_group_ids, ipv6_allowed }
    }
}

impl FileSystemRecord {
    pub(super) fn of(FileSystem { arn, local_mount_path }: FileSystem) -> Self {
        Self { arn, local_mount_path }
    }

    pub(super) fn into_file_system(self) -> FileSystem {
        let Self { arn, local_mount_path } = self;
        FileSystem { arn, local_mount_path }
    }
}

impl ImageRecord {
    pub(super) fn of(Image { uri, config }: Image) -> Self {
        let ImageConfig { entry_point, command, working_directory } = config;
        Self { uri, entry_point, command, working_directory }
    }

    pub(super) fn into_image(self) -> Image {
        let Self { uri, entry_point, command, working_directory } = self;
        Image { uri, config: ImageConfig { entry_point, command, working_directory } }
    }
}

impl DurableRecord {
    pub(super) fn of(Durable { execution_timeout_s, retention_days, kms_key_arn }: Durable) -> Self {
        Self { execution_timeout_s, retention_days, kms_key_arn }
    }

    pub(super) fn into_durable(self) -> Durable {
        let Self { execution_timeout_s, retention_days, kms_key_arn } = self;
        Durable { execution_timeout_s, retention_days, kms_key_arn }
    }
}

impl CapacityProviderRecord {
    pub(super) fn of(provider: CapacityProviderRef) -> Self {
        let CapacityProviderRef { arn, max_concurrency, memory_gib_per_vcpu } = provider;
        Self { arn, max_concurrency, memory_gib_per_vcpu }
    }

    pub(super) fn into_capacity_provider(self) -> CapacityProviderRef {
        let Self { arn, max_concurrency, memory_gib_per_vcpu } = self;
        CapacityProviderRef { arn, max_concurrency, memory_gib_per_vcpu }
    }
}
