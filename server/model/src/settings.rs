//! The kinds of settings that can be attached to a function, a version or an alias.

/// What becomes of the asynchronous invocations of a function, a version or an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventInvoke {
    /// `MaximumRetryAttempts`, 0 to 2; AWS's default, 2, where it is `None`.
    pub retries_max: Option<u32>,
    /// `MaximumEventAgeInSeconds`, 60 to 21,600; AWS's default, 21,600, where it is `None`.
    pub age_max_s: Option<u32>,
    /// ARN of what gets a record of each success.
    pub on_success: Option<String>,
    /// ARN of what gets a record of each event that is given up.
    pub on_failure: Option<String>,
    /// When it was last changed, milliseconds since 1970.
    pub last_modified_ms: i64,
}

/// Who may call a function URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlAuth {
    /// Whoever signs a request and is allowed to.
    Iam,
    /// Everybody, where the policy allows it.
    None,
}

/// How the answers of a function URL are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvokeMode {
    /// As a whole.
    Buffered,
    /// As it comes.
    ResponseStream,
}

/// `Cors` of a function URL: only members that were given are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    /// `AllowCredentials`.
    pub allow_credentials: Option<bool>,
    /// `AllowHeaders`.
    pub allow_headers: Option<Vec<String>>,
    /// `AllowMethods`.
    pub allow_methods: Option<Vec<String>>,
    /// `AllowOrigins`.
    pub allow_origins: Option<Vec<String>>,
    /// `ExposeHeaders`.
    pub expose_headers: Option<Vec<String>>,
    /// `MaxAge`, 0 to 86,400 s.
    pub max_age_s: Option<u32>,
}

/// The URL of a function or an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionUrl {
    /// Names it: 32 characters of `0-9a-f`, the first label of its host. It never changes.
    pub id: String,
    /// Who may call it.
    pub auth: UrlAuth,
    /// How its answers are sent.
    pub invoke_mode: InvokeMode,
    /// What browsers are told; `None` where that is nothing.
    pub cors: Option<Cors>,
    /// When it was made, milliseconds since 1970.
    pub created_ms: i64,
    /// When it was last changed, milliseconds since 1970.
    pub last_modified_ms: i64,
}

/// When a function gets another build of its runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuntimeUpdates {
    /// Whenever there is one.
    Auto,
    /// With an update of the function.
    FunctionUpdate,
    /// Never.
    Manual,
}

/// Which builds of its runtime a function or a version may get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeManagement {
    /// `UpdateRuntimeOn`.
    pub updates: RuntimeUpdates,
    /// ARN of the build that it keeps; only with [`RuntimeUpdates::Manual`].
    pub version_arn: Option<String>,
}

/// `RecursiveLoop`: what becomes of an event that a function has caused itself many times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecursiveLoop {
    /// It is invoked.
    Allow,
    /// It is dropped.
    Terminate,
}

/// Numbers of environments of a version on managed instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scaling {
    /// `MinExecutionEnvironments`, 0 to 15,000.
    pub environments_min: Option<u32>,
    /// `MaxExecutionEnvironments`, 0 to 15,000.
    pub environments_max: Option<u32>,
}

/// The code signing config of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSigning {
    /// The id of the config, which belongs to the same account and region.
    pub config: String,
}

/// Environments of a version, or of the versions that an alias names, that are started before anybody invokes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvisionedConcurrency {
    /// How many, at least 1.
    pub executions: u32,
    /// When that was last put, milliseconds since 1970.
    pub last_modified_ms: i64,
}
