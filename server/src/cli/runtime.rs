//! `lambd runtime install | add | list | remove`.

use std::error::Error as _;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use nix::sys::stat::{Mode, umask};

use crate::runtimes::install::{self, Options};
use crate::runtimes::{Catalog, RuntimeError, identifiers};

/// The arguments of `lambd runtime`.
#[derive(Debug, Args)]
pub struct RuntimeArgs {
    #[command(subcommand)]
    command: RuntimeCommand,
}

#[derive(Debug, Subcommand)]
enum RuntimeCommand {
    /// Build runtimes from this machine's interpreters, PyPI and npm
    Install {
        #[command(flatten)]
        data: DataDir,
        /// The folder that holds bin/python3.x or bin/node, instead of one that is looked for
        #[arg(long, value_name = "DIR")]
        prefix: Option<PathBuf>,
        /// Where this machine keeps finished runtimes [default: /var/cache/lambd for root]
        #[arg(long, value_name = "DIR", env = "LAMBD_CACHE_DIR")]
        cache_dir: Option<PathBuf>,
        /// Build again even if it was built before
        #[arg(long)]
        refresh: bool,
        /// Such as python3.11, nodejs22.x, provided.al2023
        #[arg(required = true, value_name = "ID")]
        identifiers: Vec<String>,
    },
    /// Install a runtime of your own making: a folder with a runtime.toml
    Add {
        #[command(flatten)]
        data: DataDir,
        /// The folder; it is copied
        dir: PathBuf,
    },
    /// List the installed runtimes
    List {
        #[command(flatten)]
        data: DataDir,
        /// List those that AWS has, and whether lambd can build them
        #[arg(long)]
        available: bool,
    },
    /// Remove installed runtimes
    Remove {
        #[command(flatten)]
        data: DataDir,
        /// Their identifiers
        #[arg(required = true, value_name = "ID")]
        identifiers: Vec<String>,
    },
}

#[derive(Debug, Args)]
struct DataDir {
    /// The server's data directory
    #[arg(long, value_name = "DIR", env = "LAMBD_DATA_DIR", default_value = "/var/lib/lambd")]
    data_dir: PathBuf,
}

/// Runs the command. 0: done; 1: failed, said in one line on standard error.
pub fn run(args: RuntimeArgs) -> ExitCode {
    // Sandboxes and the unprivileged server read what root installs, whatever root's own mask.
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
    match execute(args.command, &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause =
                error.source().map(|cause| format!(": {}", cause.to_string().trim_end())).unwrap_or_default();
            // Nobody is left to tell if standard error is closed.
            let _ = writeln!(io::stderr(), "lambd: {error}{cause}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: RuntimeCommand, out: &mut dyn Write) -> Result<(), RuntimeError> {
    match command {
        RuntimeCommand::Install { data, prefix, cache_dir, refresh, identifiers } => {
            let options = Options { data_dir: data.data_dir, prefix, cache_dir, refresh };
            identifiers.iter().try_for_each(|identifier| install::install(identifier, &options, out))
        }
        RuntimeCommand::Add { data, dir } => install::add(&dir, &data.data_dir, out),
        RuntimeCommand::List { available: true, .. } => list_available(out),
        RuntimeCommand::List { data, .. } => list(&Catalog::new(&data.data_dir), out),
        RuntimeCommand::Remove { data, identifiers } => {
            identifiers.iter().try_for_each(|identifier| install::remove(identifier, &data.data_dir, out))
        }
    }
}

fn list(catalog: &Catalog, out: &mut dyn Write) -> Result<(), RuntimeError> {
    for identifier in catalog.identifiers()? {
        if let Some(runtime) = catalog.find(&identifier)? {
            writeln!(out, "{:<18}{}", runtime.identifier(), runtime.interpreter().unwrap_or("-"))?;
        }
    }
    Ok(())
}

fn list_available(out: &mut dyn Write) -> Result<(), RuntimeError> {
    for (identifier, until) in identifiers::current() {
        let how = if identifiers::can_install(identifier) { "install" } else { "add" };
        writeln!(
            out,
            "{identifier:<18}{how:<9}{}",
            until.map_or_else(String::new, |date| format!("until {date}"))
        )?;
    }
    Ok(())
}
