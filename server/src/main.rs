//! The binary `lambd`: reads the command line and hands over.

use std::process::ExitCode;

use clap::Parser as _;
use lambd::cli::{self, Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|usage| usage.exit());
    cli::finish(match cli.command {
        Command::Serve(source) => cli::configuration(&source).map(|_| ()).map_err(Into::into),
        Command::CheckConfig(args) => cli::check_config::run(&args),
        Command::Logs(args) => cli::logs::run(args),
        Command::Doctor(args) => cli::doctor::run(args),
        Command::Version => cli::version::run(),
    })
}
