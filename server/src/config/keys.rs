//! The table of keys: the only place where a key is declared.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::values::{AuthMode, LogLevel, RoleRights, ServerLogFormat, memory_share_mib};

/// `name: type = default, "VARIABLE", "VALUE";` declares the key `name` of the file, the flag `--name` with
/// dashes, the variable, and the field of [`Config`].
macro_rules! keys {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:expr, $variable:literal, $value:literal;)+) => {
        /// The values of one source: the file, or variables and flags. Absent keys are `None`.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, clap::Args)]
        #[serde(deny_unknown_fields)]
        pub struct Settings {
            $($(#[doc = $doc])+ #[arg(long, env = $variable, hide_env_values = true, value_name = $value)] pub $name: Option<$type>,)+
        }

        /// The whole configuration, every key with a value.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        pub struct Config {
            $($(#[doc = $doc])+ pub $name: $type,)+
        }

        impl Settings {
            /// Takes absent values from `other`.
            pub(super) fn or(self, other: Self) -> Self {
                Self { $($name: self.$name.or(other.$name),)+ }
            }

            /// Takes absent values from the defaults, without checking anything.
            pub(super) fn or_default(self) -> Config {
                Config { $($name: self.$name.unwrap_or_else(|| $default),)+ }
            }

            /// Takes absent values from the defaults.
            #[cfg(test)]
            pub(crate) fn into_config(self) -> Config {
                self.or_default()
            }

            /// All variables that have a meaning, including those of other commands.
            pub(super) const VARIABLES: &[&str] = &[$($variable,)+ "LAMBD_CONFIG", "LAMBD_CACHE_DIR"];
        }
    };
}

keys! {
    /// Address and port of the API; port 0 picks a free one
    listen: SocketAddr = (Ipv4Addr::LOCALHOST, 3001).into(), "LAMBD_LISTEN", "ADDR:PORT";
    /// Folder for everything that the server stores
    data_dir: PathBuf = "/var/lib/lambd".into(), "LAMBD_DATA_DIR", "DIR";
    /// The account of the server's own keys, 12 digits
    account_id: String = "000000000000".to_owned(), "LAMBD_ACCOUNT_ID", "ID";
    /// The region of requests that name none
    region: String = "us-east-1".to_owned(), "LAMBD_REGION", "REGION";
    /// User that the API process runs as; if it does not exist, an unused uid of this server's own
    user: String = "lambd".to_owned(), "LAMBD_USER", "NAME";
    /// Whether signatures are checked; `off` is possible on loopback only
    auth: AuthMode = AuthMode::Sigv4, "LAMBD_AUTH", "MODE";
    /// JSON file with policies, and with the roles that have one [default: none]
    policies_file: PathBuf = PathBuf::new(), "LAMBD_POLICIES_FILE", "FILE";
    /// What a role may do that has no policy
    undefined_roles: RoleRights = RoleRights::Execution, "LAMBD_UNDEFINED_ROLES", "RIGHTS";
    /// Form of the server's own log on standard error
    log_format: ServerLogFormat = ServerLogFormat::Human, "LAMBD_LOG_FORMAT", "FORMAT";
    /// The least important lines that are logged
    log_level: LogLevel = LogLevel::Info, "LAMBD_LOG_LEVEL", "LEVEL";
    /// Seconds that running invocations get at SIGTERM before they are ended
    drain_timeout_s: u64 = 300, "LAMBD_DRAIN_TIMEOUT_S", "SECONDS";
    /// Concurrent executions of each account
    concurrency_limit: u32 = 1000, "LAMBD_CONCURRENCY_LIMIT", "COUNT";
    /// Whether a function needs an installed runtime and this machine's architecture when it is created, not only when it is invoked
    require_installed_runtime: bool = false, "LAMBD_REQUIRE_INSTALLED_RUNTIME", "BOOL";
    /// Address of the S3-compatible server that has code, such as `http://127.0.0.1:9000` [default: none]
    s3_endpoint: String = String::new(), "LAMBD_S3_ENDPOINT", "URL";
    /// Credentials file whose profile `default` has the keys for it [default: the server's own keys]
    s3_credentials_file: PathBuf = PathBuf::new(), "LAMBD_S3_CREDENTIALS_FILE", "FILE";
    /// The subnets that exist, separated by commas; others are refused in VpcConfig [default: any]
    subnets: String = String::new(), "LAMBD_SUBNETS", "IDS";
    /// The security groups that exist, in the same way [default: any]
    security_groups: String = String::new(), "LAMBD_SECURITY_GROUPS", "IDS";
    /// Memory for all environments together, in MiB [default: 80 % of the machine's]
    host_memory_mib: u64 = memory_share_mib(), "LAMBD_HOST_MEMORY_MIB", "MIB";
    /// Seconds that an idle environment is kept
    environment_idle_s: u64 = 600, "LAMBD_ENVIRONMENT_IDLE_S", "SECONDS";
    /// Prepared volumes for /tmp that are kept in stock
    volume_stock: u32 = 8, "LAMBD_VOLUME_STOCK", "COUNT";
    /// Days that log events are kept
    logs_retention_days: u32 = 14, "LAMBD_LOGS_RETENTION_DAYS", "DAYS";
    /// Log events kept for each function, in MiB; the oldest are removed first
    logs_group_mib: u32 = 256, "LAMBD_LOGS_GROUP_MIB", "MIB";
    /// Address under which clients reach the API, used in Code.Location [default: the Host header's]
    public_endpoint: String = String::new(), "LAMBD_PUBLIC_ENDPOINT", "URL";
}
