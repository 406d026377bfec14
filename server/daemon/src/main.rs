//! The program `lambd`: reads the command line and calls the library. Only this file decides which database
//! the server uses, so that the rest is built without one.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use lambd::cli::serve::DatabaseKind;
use lambd::cli::{self, Cli, Command};
use lambd_store_rocks::RocksStore;

const ROCKS: DatabaseKind = DatabaseKind {
    refuse_at_first_sight: |data_dir| Ok(lambd_store_rocks::refuse_at_first_sight(data_dir)?),
    open: |data_dir, name| Ok(Arc::new(RocksStore::open(data_dir, name)?)),
};

fn main() -> ExitCode {
    // The launcher is this program, started again; it never gets past this line.
    lambd_sandbox::launcher_entry();
    let cli = Cli::try_parse().unwrap_or_else(|usage| usage.exit());
    cli::finish(match cli.command {
        Command::Serve(source) => {
            cli::configuration(&source).map_err(Into::into).and_then(|config| cli::serve::run(config, ROCKS))
        }
        Command::CheckConfig(args) => cli::check_config::run(&args),
        Command::Runtime(args) => cli::runtime::run(args),
        Command::Logs(args) => cli::logs::run(args),
        Command::Doctor(args) => cli::doctor::run(args, &ROCKS),
        Command::Version => cli::version::run(),
    })
}
