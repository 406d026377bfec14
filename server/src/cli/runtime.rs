//! `lambd runtime install | add | list | remove`.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use nix::sys::stat::{Mode, umask};

use super::ServerArgs;
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
        server: ServerArgs,
        /// The folder with bin/python3.x or bin/node [default: the usual places are searched]
        #[arg(long, value_name = "DIR")]
        prefix: Option<PathBuf>,
        /// Folder for finished runtimes, shared by all data directories [default: /var/cache/lambd for root]
        #[arg(long, value_name = "DIR", env = "LAMBD_CACHE_DIR")]
        cache_dir: Option<PathBuf>,
        /// Build again even if it was built before
        #[arg(long)]
        refresh: bool,
        /// Identifiers such as python3.11, nodejs22.x, provided.al2023
        #[arg(required = true, value_name = "ID")]
        identifiers: Vec<String>,
    },
    /// Install a runtime that you have made: a folder with a runtime.toml
    Add {
        #[command(flatten)]
        server: ServerArgs,
        /// The folder, which is copied
        dir: PathBuf,
    },
    /// List the installed runtimes
    List {
        #[command(flatten)]
        server: ServerArgs,
        /// List the runtimes that AWS has, and whether lambd can build them
        #[arg(long)]
        available: bool,
    },
    /// Remove installed runtimes
    Remove {
        #[command(flatten)]
        server: ServerArgs,
        /// Their identifiers
        #[arg(required = true, value_name = "ID")]
        identifiers: Vec<String>,
    },
}

/// Runs the command on the runtimes of the server's data directory.
///
/// # Errors
/// The configuration is not valid, [`RuntimeError`], or standard output cannot be written.
pub fn run(args: RuntimeArgs) -> Result<()> {
    // Sandboxes and the unprivileged server read what root installs, whatever root's own mask is.
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
    execute(args.command, &mut io::stdout().lock())
}

fn execute(command: RuntimeCommand, out: &mut dyn Write) -> Result<()> {
    let done = match command {
        RuntimeCommand::Install { server, prefix, cache_dir, refresh, identifiers } => {
            let options = Options { data_dir: server.load()?.data_dir, prefix, cache_dir, refresh };
            identifiers.iter().try_for_each(|identifier| install::install(identifier, &options, out))
        }
        RuntimeCommand::Add { server, dir } => install::add(&dir, &server.load()?.data_dir, out),
        RuntimeCommand::List { available: true, .. } => list_available(out),
        RuntimeCommand::List { server, .. } => list(&Catalog::new(&server.load()?.data_dir), out),
        RuntimeCommand::Remove { server, identifiers } => {
            let data_dir = server.load()?.data_dir;
            identifiers.iter().try_for_each(|identifier| install::remove(identifier, &data_dir, out))
        }
    };
    match done {
        // `cli::finish` knows a reader that has read enough by the error of the system.
        Err(RuntimeError::Print(error)) => Err(error).context("cannot print"),
        done => Ok(done?),
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::runtimes::testing::pretend;

    fn listed(config: Option<PathBuf>, data_dir: Option<PathBuf>) -> String {
        let mut out = Vec::new();
        let server = ServerArgs { config, data_dir };
        execute(RuntimeCommand::List { server, available: false }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_data_directory_is_that_of_the_server() {
        let folder = tempfile::tempdir().unwrap();
        let [configured, named] = ["configured", "named"].map(|name| folder.path().join(name));
        pretend(&configured, "provided.al2023");
        pretend(&named, "ruby3.4");
        let file = folder.path().join("lambd.toml");
        fs::write(&file, format!("data_dir = '{}'\n", configured.display())).unwrap();
        assert!(listed(Some(file.clone()), None).starts_with("provided.al2023 "), "that of the file");
        assert!(listed(Some(file), Some(named)).starts_with("ruby3.4 "), "a flag wins");
    }

    #[test]
    fn an_error_has_all_its_causes_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("own");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("runtime.toml"), "identifier = 'ruby3.4'\nroot = 3\n").unwrap();
        let server = ServerArgs { config: None, data_dir: Some(folder.path().join("data")) };
        let error = execute(RuntimeCommand::Add { server, dir }, &mut io::sink()).unwrap_err();
        let line = crate::cli::one_line(&error);
        assert!(line.contains("is no runtime manifest: TOML parse error") && !line.contains('\n'), "{line}");
    }

    #[test]
    fn a_reader_that_has_read_enough_is_no_failure() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let server = ServerArgs { config: None, data_dir: None };
        let result = execute(RuntimeCommand::List { server, available: true }, &mut Closed);
        let kind = result.unwrap_err().downcast_ref::<io::Error>().map(io::Error::kind);
        assert_eq!(kind, Some(io::ErrorKind::BrokenPipe));
    }
}
