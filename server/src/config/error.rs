//! What can be wrong with a configuration, each in one line that says how to fix it.

use std::io;
use std::path::PathBuf;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no TOML, or has an unknown key or a value of another type.
    #[error("{path}:{line}: {message}")]
    File {
        /// The file.
        path: PathBuf,
        /// Line number from 1.
        line: usize,
        /// What is wrong there, naming the key.
        message: String,
    },
    /// Environment variables that look like keys and are none.
    #[error(
        "unknown environment variables: {}; unset them, `lambd serve --help` lists those that exist",
        names.join(", ")
    )]
    UnknownVariables {
        /// Their names, sorted.
        names: Vec<String>,
    },
    /// Values out of bounds, all of them.
    #[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Values {
        /// One for each value.
        problems: Vec<Problem>,
    },
}

/// One value out of bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` is {value}: {remedy}")]
pub struct Problem {
    /// The key as the file has it.
    pub key: &'static str,
    /// The value.
    pub value: String,
    /// What it has to be.
    pub remedy: String,
}
