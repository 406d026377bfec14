//! Code and settings of a version, as the registry keeps them.

use std::collections::BTreeMap;

use crate::Sha256;

/// A function's own environment variables. `Debug` shows the names only, because values are often secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(pub BTreeMap<String, String>);

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The package that a configuration runs, or one of its layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRef {
    /// SHA-256 of the zip: `CodeSha256`, and the name of the package's folder.
    pub sha256: Sha256,
    /// Size of the zip in bytes: `CodeSize`.
    pub zipped_bytes: u64,
}

/// `LogFormat` of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Plain lines.
    Text,
    /// One JSON object per record.
    Json,
}

/// `LoggingConfig` of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// Form of the lines that the platform writes.
    pub format: LogFormat,
    /// Name of the log group, e.g. `/aws/lambda/f`.
    pub group: String,
    /// `ApplicationLogLevel`; only with JSON.
    pub application_level: Option<String>,
    /// `SystemLogLevel`; only with JSON.
    pub system_level: Option<String>,
}

/// `VpcConfig`: stored and returned, but without effect, because one machine has no VPC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vpc {
    /// `SubnetIds`.
    pub subnet_ids: Vec<String>,
    /// `SecurityGroupIds`.
    pub security_group_ids: Vec<String>,
    /// `Ipv6AllowedForDualStack`.
    pub ipv6_allowed: bool,
}

/// A version of a layer that a function uses. It holds what it needs of the layer, because a layer's version that
/// was deleted goes on working in the functions that use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerRef {
    /// ARN of the layer's version.
    pub arn: String,
    /// The layer's zip.
    pub code: CodeRef,
}

/// One of `FileSystemConfigs`; file systems are not mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSystem {
    /// ARN of the access point.
    pub arn: String,
    /// Where it would be mounted, below `/mnt`.
    pub local_mount_path: String,
}

/// What a function of `PackageType` `Image` runs; images are not executed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// `ImageUri`, as it was given.
    pub uri: String,
    /// `ImageConfig`, if it has a member that is not empty.
    pub config: ImageConfig,
}

/// `ImageConfig`: overrides of what the image itself says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// `EntryPoint`, empty if it is the image's own.
    pub entry_point: Vec<String>,
    /// `Command`, empty if it is the image's own.
    pub command: Vec<String>,
    /// `WorkingDirectory`.
    pub working_directory: Option<String>,
}

/// `DurableConfig`; durable functions are not executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durable {
    /// `ExecutionTimeout`, 1 to 31,622,400 s.
    pub execution_timeout_s: u32,
    /// `RetentionPeriodInDays`, 1 to 90.
    pub retention_days: u32,
    /// `KMSKeyArn`.
    pub kms_key_arn: Option<String>,
}

/// `LambdaManagedInstancesCapacityProviderConfig`; such functions are not executed.
#[derive(Debug, Clone, PartialEq)]
pub struct CapacityProviderRef {
    /// `CapacityProviderArn`.
    pub arn: String,
    /// `PerExecutionEnvironmentMaxConcurrency`.
    pub max_concurrency: Option<u32>,
    /// `ExecutionEnvironmentMemoryGiBPerVCpu`.
    pub memory_gib_per_vcpu: Option<f64>,
}

/// Code and settings of one version. What few functions have is boxed, because tens of thousands of versions may be in
/// memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    /// Runtime identifier, e.g. `python3.11`; empty if there is an [`Image`].
    pub runtime: String,
    /// Handler, e.g. `app.handler`; empty if there is an [`Image`].
    pub handler: String,
    /// ARN of the role.
    pub role: String,
    /// Description of the function, any text.
    pub description: String,
    /// `Timeout` of an invocation, 1 to 900 s.
    pub timeout_s: u32,
    /// Memory limit, 128 to 10,240 MiB.
    pub memory_mib: u32,
    /// Size of `/tmp`, 512 to 10,240 MiB.
    pub ephemeral_mib: u32,
    /// `None` if the caller never gave any: the API then omits the member.
    pub variables: Option<Variables>,
    /// The package. Of an image it has the hash of the address and no bytes.
    pub code: CodeRef,
    /// Layers in the order in which they are merged, at most 5.
    pub layers: Vec<LayerRef>,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// `PassThrough` or `Active`; without effect.
    pub tracing_mode: String,
    /// Logging settings.
    pub logging: Logging,
    /// `None` until the caller gives one.
    pub vpc: Option<Vpc>,
    /// At most one.
    pub file_systems: Vec<FileSystem>,
    /// Of a function with `PackageType` `Image`.
    pub image: Option<Box<Image>>,
    /// Of a durable function.
    pub durable: Option<Box<Durable>>,
    /// `TenantIsolationMode`.
    pub tenant_isolation: Option<String>,
    /// Of a function on managed instances.
    pub capacity_provider: Option<Box<CapacityProviderRef>>,
    /// ARN of the dead-letter target; without effect.
    pub dead_letter_arn: Option<String>,
    /// ARN of the KMS key; without effect.
    pub kms_key_arn: Option<String>,
    /// `None` or `PublishedVersions`; without effect.
    pub snap_start: String,
    /// When code or configuration last changed, milliseconds since 1970.
    pub last_modified_ms: i64,
}

/// Why a version is stored and not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// It is a container image.
    Image,
    /// It is for another processor than this machine's.
    Architecture,
    /// It has file systems.
    FileSystems,
    /// Each tenant needs environments of its own.
    Tenants,
    /// It is a durable function.
    Durable,
    /// It is on a capacity provider.
    CapacityProvider,
}

/// The architecture that this machine can run, as AWS names it.
#[must_use]
pub const fn host_architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
}

impl Configuration {
    /// What keeps it from running as its settings ask for, if anything does.
    #[must_use]
    pub fn obstacle(&self) -> Option<Obstacle> {
        if self.image.is_some() {
            Some(Obstacle::Image)
        } else if self.architecture != host_architecture() {
            Some(Obstacle::Architecture)
        } else if !self.file_systems.is_empty() {
            Some(Obstacle::FileSystems)
        } else if self.tenant_isolation.is_some() {
            Some(Obstacle::Tenants)
        } else if self.durable.is_some() {
            Some(Obstacle::Durable)
        } else {
            self.capacity_provider.as_ref().map(|_| Obstacle::CapacityProvider)
        }
    }

    /// The packages of its layers, in the order in which they are merged.
    #[must_use]
    pub fn layer_packages(&self) -> Vec<Sha256> {
        self.layers.iter().map(|layer| layer.code.sha256).collect()
    }

    /// Every package that it needs: the code, each layer, and the layers merged.
    pub fn packages(&self) -> impl Iterator<Item = Sha256> {
        let layers = self.layer_packages();
        let merged = Sha256::of_layers(&layers);
        [self.code.sha256].into_iter().chain(merged).chain(layers)
    }
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match self {
            Self::Image => "Container images",
            Self::Architecture => "Functions for another architecture than this machine's",
            Self::FileSystems => "Functions with file systems",
            Self::Tenants => "Functions with tenant isolation",
            Self::Durable => "Durable functions",
            Self::CapacityProvider => "Functions on a capacity provider",
        };
        write!(f, "{what} are not run by this release of lambd.")
    }
}
