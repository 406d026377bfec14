//! The server's own log: writes `tracing` events to standard error.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::{LogLevel, ServerLogFormat};

/// The log cannot be set up, because the process has one already.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the log")]
pub struct LogSetupError(#[from] tracing_subscriber::util::TryInitError);

/// Writes the log of this process to standard error from now on. Lines of libraries are shown from `warn` on,
/// unless the level is `trace`; those of `h2`, which a client can cause as often as it likes, from `error` on.
///
/// # Errors
/// [`LogSetupError`] if the process has a log already.
pub fn init_log(format: ServerLogFormat, level: LogLevel) -> Result<(), LogSetupError> {
    let directives = match level {
        LogLevel::Trace => "trace".to_owned(),
        level => format!("warn,h2=error,lambd={level},lambd_sandbox={level},lambd_runtime_api={level}"),
    };
    let filter = EnvFilter::new(directives);
    match format {
        ServerLogFormat::Human => {
            let lines = tracing_subscriber::fmt::layer()
                .with_ansi(io::stderr().is_terminal())
                .with_writer(io::stderr);
            tracing_subscriber::registry().with(filter).with(lines).try_init()?;
        }
        ServerLogFormat::Json => {
            let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(io::stderr);
            tracing_subscriber::registry().with(filter).with(lines).try_init()?;
        }
    }
    Ok(())
}
