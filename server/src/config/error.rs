//! Errors of the configuration; each is one line that says how to fix it.

use std::io;
use std::path::PathBuf;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file is not TOML, or has an unknown key or a value of the wrong type.
    #[error("{path}:{line}: {message}")]
    File {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong in that line, with the key.
        message: String,
    },
    /// The file of policies has something that is not understood.
    #[error("{path}: {problem}")]
    Policies {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// There are variables that begin with `LAMBD_` but belong to no key.
    #[error(
        "unknown environment variables: {}; unset them; `lambd serve --help` lists those that exist",
        names.join(", ")
    )]
    UnknownVariables {
        /// Their names, sorted.
        names: Vec<String>,
    },
    /// Values are out of bounds.
    #[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Values {
        /// All of them.
        problems: Vec<Problem>,
    },
}

/// A value that is out of bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` is {value}: {remedy}")]
pub struct Problem {
    /// The key as it is written in the file.
    pub key: &'static str,
    /// The value.
    pub value: String,
    /// What the value has to be.
    pub remedy: String,
}
