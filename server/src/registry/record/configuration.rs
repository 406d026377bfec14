//! The stored form of a configuration.

use std::collections::BTreeMap;

use lambd_model::{CodeRef, Configuration, LogFormat, Logging, Sha256, Variables, Vpc};
use serde::{Deserialize, Serialize};

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
    architecture: String,
    tracing_mode: String,
    logging: LoggingRecord,
    vpc: Option<VpcRecord>,
    dead_letter_arn: Option<String>,
    kms_key_arn: Option<String>,
    snap_start: String,
    last_modified_ms: i64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeRecord {
    /// 64 hexadecimal digits.
    sha256: Sha256,
    zipped_bytes: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LoggingRecord {
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
struct VpcRecord {
    subnet_ids: Vec<String>,
    security_group_ids: Vec<String>,
    ipv6_allowed: bool,
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
            code: CodeRef { sha256, zipped_bytes },
            architecture,
            tracing_mode,
            logging,
            vpc,
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
            code: CodeRecord { sha256, zipped_bytes },
            architecture,
            tracing_mode,
            logging: LoggingRecord::of(logging),
            vpc: vpc.map(|Vpc { subnet_ids, security_group_ids, ipv6_allowed }| VpcRecord {
                subnet_ids,
                security_group_ids,
                ipv6_allowed,
            }),
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
            code: CodeRef { sha256: self.code.sha256, zipped_bytes: self.code.zipped_bytes },
            architecture: self.architecture,
            tracing_mode: self.tracing_mode,
            logging: self.logging.into_logging(),
            vpc: self.vpc.map(|vpc| Vpc {
                subnet_ids: vpc.subnet_ids,
                security_group_ids: vpc.security_group_ids,
                ipv6_allowed: vpc.ipv6_allowed,
            }),
            dead_letter_arn: self.dead_letter_arn,
            kms_key_arn: self.kms_key_arn,
            snap_start: self.snap_start,
            last_modified_ms: self.last_modified_ms,
        }
    }
}

impl LoggingRecord {
    fn of(Logging { format, group, application_level, system_level }: Logging) -> Self {
        let format = match format {
            LogFormat::Text => FormatRecord::Text,
            LogFormat::Json => FormatRecord::Json,
        };
        Self { format, group, application_level, system_level }
    }

    fn into_logging(self) -> Logging {
        let Self { format, group, application_level, system_level } = self;
        let format = match format {
            FormatRecord::Text => LogFormat::Text,
            FormatRecord::Json => LogFormat::Json,
        };
        Logging { format, group, application_level, system_level }
    }
}
