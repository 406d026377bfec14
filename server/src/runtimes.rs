//! Runtimes: what a function of a given `Runtime` runs on.
//!
//! A runtime is a folder `DATA_DIR/runtimes/<identifier>/` that belongs to the operator: a
//! [`Manifest`] (`runtime.toml`), what is to appear at `/var/runtime` (folder `runtime`) and at
//! `/var/lang` (folder `lang`), and, unless it borrows the host's, a root file system.
//!
//! - [`identifiers`] knows AWS's names and its texts about them;
//! - [`Catalog`] reads what is installed, also what is installed while the server runs;
//! - [`Runtime`] says what a sandbox must show and how its process starts;
//! - [`install`] makes these folders; the server itself never does.
//!
//! Nothing here starts a sandbox, and only [`install`] starts processes or writes.

mod cache;
mod catalog;
pub mod entrypoint;
mod files;
mod host;
pub mod identifiers;
pub mod install;
mod interpreter;
mod links;
mod manifest;
mod os_release;
#[cfg(test)]
pub(crate) mod testing;
mod tool;
mod variables;

use std::io;
use std::path::{Path, PathBuf};

pub use catalog::Catalog;
pub use entrypoint::{Entrypoint, InvalidEntrypoint};
pub use host::{File, HOSTNAME, HostBind, Symlink, host_sources};
pub use manifest::{Manifest, Root};

use crate::runtimes::host::System;

/// An installed runtime, ready to be put into sandboxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    manifest: Manifest,
    system: System,
    version: String,
}

impl Runtime {
    /// AWS's identifier, such as `python3.11`.
    pub fn identifier(&self) -> &str {
        &self.manifest.identifier
    }

    /// The interpreter and its version, as the manifest tells it.
    pub fn interpreter(&self) -> Option<&str> {
        self.manifest.interpreter.as_deref()
    }

    /// What tells this build of the runtime from others: changes with its recipe, its interpreter and its
    /// client, and with nothing else. 64 hexadecimal digits.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The runtime's own environment variables. `AWS_EXECUTION_ENV`, `LAMBDA_TASK_ROOT` and
    /// `LAMBDA_RUNTIME_DIR` are reserved; a function's variables may replace all others.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.manifest.environment.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Folders and files to bind read-only, parents before children. A source may be out of reach
    /// of unprivileged users (a prefix below `/root`); only the launcher needs to open it.
    pub fn binds(&self) -> &[HostBind] {
        &self.system.binds
    }

    /// Symbolic links of the sandbox's root, such as `/bin` on hosts with a merged `/usr`.
    pub fn symlinks(&self) -> &[Symlink] {
        &self.system.symlinks
    }

    /// Small files to write into the sandbox's root. Those that name the account are the sandbox's own: only it
    /// knows the ids.
    pub fn files(&self) -> &[File] {
        &self.system.files
    }

    /// Chooses the program to start for a function whose code lies in `task` and whose merged
    /// layers lie in `opt` (host paths). It is started without arguments, in `/var/task`.
    pub fn entrypoint(&self, task: &Path, opt: Option<&Path>) -> Entrypoint {
        Entrypoint::choose(&self.manifest.bootstrap, task, opt)
    }
}

/// Where the runtimes of a data directory live.
pub fn dir_of(data_dir: &Path) -> PathBuf {
    data_dir.join("runtimes")
}

/// Why a runtime cannot be read, installed or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// A file system call failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The path it was tried on.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A manifest is not the TOML it should be.
    #[error("{} is no runtime manifest", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Where and why.
        source: toml::de::Error,
    },
    /// A manifest could not be written as TOML.
    #[error("the manifest of {identifier} cannot be written")]
    Unwritable {
        /// The runtime.
        identifier: String,
        /// Why.
        source: toml::ser::Error,
    },
    /// A manifest breaks a rule.
    #[error("{}: {what}", path.display())]
    Rule {
        /// The manifest or folder.
        path: PathBuf,
        /// The rule that it breaks.
        what: String,
    },
    /// Not one of AWS's identifiers.
    #[error("{0} is not a runtime identifier that AWS knows; `lambd runtime list --available` names them")]
    Unknown(String),
    /// A runtime that `install` has no recipe for.
    #[error(
        "{0} cannot be built here: make a folder with a runtime.toml for it and run `lambd runtime add DIR`"
    )]
    NoRecipe(String),
    /// Not installed in this data directory.
    #[error("{identifier} is not installed in {}", dir.display())]
    NotInstalled {
        /// The runtime.
        identifier: String,
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// No interpreter of the wanted version.
    #[error(
        "no {wanted} found in {places}: install it, or name the folder that holds bin/{program} with --prefix"
    )]
    NoInterpreter {
        /// Name and version.
        wanted: String,
        /// The program's name.
        program: String,
        /// Where it was looked for.
        places: String,
    },
    /// Programs are missing and cannot be installed from here.
    #[error(
        "{} needed but not there: install {} (on Debian, as root: apt-get install {})",
        commands.join(", "), if commands.len() == 1 { "it" } else { "them" }, packages.join(" ")
    )]
    Missing {
        /// The programs.
        commands: Vec<String>,
        /// Debian's packages that hold them.
        packages: Vec<String>,
    },
    /// A program could not be started.
    #[error("cannot start {program}")]
    Start {
        /// The program.
        program: String,
        /// The system's answer.
        source: io::Error,
    },
    /// A program failed.
    #[error("{command} failed ({status}):\n{output}")]
    Failed {
        /// Its command line.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// The last lines it printed.
        output: String,
    },
    /// The report could not be printed.
    #[error("cannot print")]
    Print(#[from] io::Error),
}

impl RuntimeError {
    /// For `map_err`: a failed file system call with its path.
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
