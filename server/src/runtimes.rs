//! Runtimes: what runs the handler of a function.
//!
//! A runtime is a folder `DATA_DIR/runtimes/<identifier>/` that belongs to the operator. It contains a
//! [`Manifest`] (`runtime.toml`), the content of `/var/runtime` (folder `runtime`) and of `/var/lang` (folder
//! `lang`), and, unless it uses the host's system, a root file system.
//!
//! - [`identifiers`] has AWS's names and texts about them;
//! - [`Catalog`] reads what is installed, also if it was installed while the server runs;
//! - [`Runtime`] says what a sandbox shows and which program is started;
//! - [`install`] makes these folders; the server never does.
//!
//! Nothing here starts a sandbox; only [`install`] starts processes or writes files.

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

/// An installed runtime that sandboxes can use.
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

    /// The interpreter and its version, as the manifest says.
    pub fn interpreter(&self) -> Option<&str> {
        self.manifest.interpreter.as_deref()
    }

    /// Identifies this build of the runtime, as 64 hexadecimal digits. It changes with the recipe, the
    /// interpreter and the client, and with nothing else.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The runtime's own environment variables. `AWS_EXECUTION_ENV`, `LAMBDA_TASK_ROOT` and
    /// `LAMBDA_RUNTIME_DIR` are reserved; a function's variables may replace all others.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.manifest.environment.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Folders and files to bind read-only, parents before children. Unprivileged users may be unable to open
    /// a source (a prefix below `/root`); only the launcher must.
    pub fn binds(&self) -> &[HostBind] {
        &self.system.binds
    }

    /// Symbolic links of the sandbox's root, such as `/bin` on hosts with a merged `/usr`.
    pub fn symlinks(&self) -> &[Symlink] {
        &self.system.symlinks
    }

    /// Small files to write into the sandbox's root. The sandbox itself writes those with the account's name,
    /// because only it knows the ids.
    pub fn files(&self) -> &[File] {
        &self.system.files
    }

    /// Chooses the program to start for a function with its code in `task` and its merged layers in `opt`
    /// (host paths). It is started without arguments, in `/var/task`.
    pub fn entrypoint(&self, task: &Path, opt: Option<&Path>) -> Entrypoint {
        Entrypoint::choose(&self.manifest.bootstrap, task, opt)
    }
}

/// The folder of a data directory that contains the runtimes.
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
        /// The action, as a verb.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A manifest is not valid TOML, or has an unknown member or one of the wrong type.
    #[error("{} is no runtime manifest", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong, and where.
        source: toml::de::Error,
    },
    /// A manifest could not be written as TOML.
    #[error("the manifest of {identifier} cannot be written")]
    Unwritable {
        /// The runtime.
        identifier: String,
        /// What is wrong.
        source: toml::ser::Error,
    },
    /// A manifest breaks a rule.
    #[error("{}: {what}", path.display())]
    Rule {
        /// The manifest or folder.
        path: PathBuf,
        /// How the rule is broken.
        what: String,
    },
    /// The identifier is not one of AWS's.
    #[error("{0} is not a runtime identifier that AWS knows; `lambd runtime list --available` names them")]
    Unknown(String),
    /// There is no recipe for this runtime.
    #[error(
        "{0} cannot be built here: make a folder with a runtime.toml for it and run `lambd runtime add DIR`"
    )]
    NoRecipe(String),
    /// The runtime is not installed in this data directory.
    #[error("{identifier} is not installed in {}", dir.display())]
    NotInstalled {
        /// The runtime.
        identifier: String,
        /// The folder in which it was searched.
        dir: PathBuf,
    },
    /// No interpreter of the wanted version was found.
    #[error(
        "no {wanted} found in {places}: install it, or name the folder that holds bin/{program} with --prefix"
    )]
    NoInterpreter {
        /// Name and version of the interpreter.
        wanted: String,
        /// The program's name.
        program: String,
        /// The places that were searched.
        places: String,
    },
    /// Programs are missing, and this process cannot install them.
    #[error(
        "missing programs: {}; install {} (on Debian, as root: apt-get install {})",
        commands.join(", "), if commands.len() == 1 { "it" } else { "them" }, packages.join(" ")
    )]
    Missing {
        /// The programs.
        commands: Vec<String>,
        /// The Debian packages that contain them.
        packages: Vec<String>,
    },
    /// A program could not be started.
    #[error("cannot start {program}")]
    Start {
        /// The program.
        program: String,
        /// The error of the system.
        source: io::Error,
    },
    /// A program failed.
    #[error("{command} failed ({status}):\n{output}")]
    Failed {
        /// Its command line.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// The last lines of its output.
        output: String,
    },
    /// The report could not be printed.
    #[error("cannot print")]
    Print(#[from] io::Error),
}

impl RuntimeError {
    /// Makes the error of a failed file system call on `path`, for `map_err`.
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
