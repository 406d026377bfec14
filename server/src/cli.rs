//! The command line: its commands, and how each of them ends.
//!
//! Exit codes: 0 for success; 1 for a failure, with one line `lambd: …` on standard error; 2 for wrong usage.

pub mod check_config;
pub mod doctor;
mod folder;
pub mod logs;
pub mod runtime;
pub mod serve;
pub mod version;

use std::env;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, ConfigError, Settings, Source};

/// AWS Lambda on bare Linux.
#[derive(Debug, Parser)]
#[command(name = "lambd", disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    Serve(Box<Source>),
    /// Check the configuration without starting anything
    CheckConfig(Box<check_config::CheckConfigArgs>),
    /// Install, list and remove runtimes
    Runtime(runtime::RuntimeArgs),
    /// Show the log of a function
    Logs(logs::LogsArgs),
    /// Check that this machine has what the server needs
    Doctor(doctor::DoctorArgs),
    /// Print the version
    Version,
}

/// The options that say which server a command is about.
#[derive(Debug, Args)]
pub struct ServerArgs {
    /// The server's configuration file [default: /etc/lambd/lambd.toml if it exists]
    #[arg(long, env = "LAMBD_CONFIG", hide_env_values = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The server's data directory [default: the configuration's]
    #[arg(long, env = "LAMBD_DATA_DIR", hide_env_values = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

impl ServerArgs {
    /// The configuration of that server, read from its file and the defaults.
    fn load(self) -> Result<Config, ConfigError> {
        let settings = Settings { data_dir: self.data_dir, ..Settings::default() };
        Source { config: self.config, settings }.load()
    }
}

/// Reads and checks the whole configuration of a server. Touches no other file and binds no port.
///
/// # Errors
/// A `ConfigError`, whose one line names the key and the remedy.
pub fn configuration(source: &Source) -> Result<Config, ConfigError> {
    Source::check_variables(env::vars_os().filter_map(|(name, _)| name.into_string().ok()))?;
    source.load()
}

/// Turns the result of a command into its exit code, and prints an error in one line.
pub fn finish(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    // A reader that has read enough (`lambd logs f | head`) is no failure.
    if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    // If standard error is closed, the line cannot be shown to anybody.
    let _ = writeln!(io::stderr(), "lambd: {}", one_line(&error));
    ExitCode::FAILURE
}

/// An error with its causes, in one line.
fn one_line(error: &anyhow::Error) -> String {
    format!("{error:#}").lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_of_the_commands_is_valid() {
        Cli::command().debug_assert();
    }

    #[test]
    fn right_usage_is_accepted_and_wrong_usage_is_refused() {
        for (line, right) in [
            ("lambd serve --listen 127.0.0.1:0 --data-dir /d", true),
            ("lambd serve extra", false),
            ("lambd check-config --print", true),
            ("lambd logs f --follow --data-dir /d", true),
            ("lambd logs --data-dir /d f", true),
            ("lambd logs", false),
            ("lambd runtime list --config /c --data-dir /d", true),
            ("lambd doctor", true),
            ("lambd version", true),
            ("lambd", false),
            ("lambd nonsense", false),
        ] {
            assert_eq!(Cli::try_parse_from(line.split(' ')).is_ok(), right, "{line}");
        }
        assert_eq!(Cli::try_parse_from(["lambd", "nonsense"]).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn the_exit_code_says_how_a_command_ended() {
        let code = |result| format!("{:?}", finish(result));
        assert_eq!(code(Ok(())), format!("{:?}", ExitCode::SUCCESS));
        assert_eq!(code(Err(anyhow::anyhow!("x"))), format!("{:?}", ExitCode::FAILURE));
        let closed = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(code(Err(closed.into())), format!("{:?}", ExitCode::SUCCESS));
    }
}
