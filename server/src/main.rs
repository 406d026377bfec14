//! The binary `lambd`: reads the command line and hands over.

use std::process::ExitCode;

use clap::Parser as _;
use lambd::cli::{self, Cli, Command};

fn main() -> ExitCode {
    // The launcher is this program again; it must not get further than this line.
    lambd_sandbox::launcher_entry();
    let cli = Cli::try_parse().unwrap_or_else(|usage| usage.exit());
    cli::finish(match cli.command {
        Command::Serve(source) => cli::configuration(&source).map_err(Into::into).and_then(cli::serve::run),
        Command::CheckConfig(args) => cli::check_config::run(&args),
        Command::Runtime(args) => return cli::runtime::run(args),
        Command::Logs(args) => cli::logs::run(args),
        Command::Doctor(args) => cli::doctor::run(args),
        Command::Version => cli::version::run(),
    })
}
