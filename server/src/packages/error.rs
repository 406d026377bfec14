//! Why a package is refused or cannot be stored.

use std::io;
use std::path::PathBuf;

use lambd_model::Sha256;

/// Why there is no package.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// Not a zip, or one that must not be unpacked. The reason is for the server's log: Lambda's text for the
    /// client is always the same.
    #[error("refused zip: {reason}")]
    BadZip {
        /// What is wrong with it.
        reason: String,
    },
    /// The zip itself is too large.
    #[error("zip is over the limit of {limit_bytes} bytes")]
    ZippedTooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// Its files are too large.
    #[error("unzipped files are over the limit of {limit_bytes} bytes")]
    UnzippedTooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// There is no such package.
    #[error("package {} is missing", sha256.hex())]
    Missing {
        /// Its hash.
        sha256: Sha256,
    },
    /// The folder of a package was changed or damaged.
    #[error("package file {} is damaged: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The file system is full.
    #[error("no space left to write {}", path.display())]
    DiskFull {
        /// The file that could not be written.
        path: PathBuf,
    },
    /// The file system failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// The action, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

impl PackageError {
    /// Lambda's text for the client if the package is wrong; `None` for a fault of the server.
    ///
    /// Lambda sends [`Self::ZippedTooLarge`] as 413 `RequestEntityTooLargeException`, the others as 400
    /// `InvalidParameterValueException` [fact:package-sizes]. The limit in the text is always that of a
    /// function without layers.
    #[must_use]
    pub const fn aws_message(&self) -> Option<&'static str> {
        match self {
            Self::BadZip { .. } => {
                Some("Could not unzip uploaded file. Please check your file, then try to upload again.")
            }
            Self::ZippedTooLarge { .. } => Some("Zipped size must be smaller than 52428800 bytes"),
            Self::UnzippedTooLarge { .. } => Some("Unzipped size must be smaller than 262144000 bytes"),
            Self::Missing { .. } | Self::Damaged { .. } | Self::DiskFull { .. } | Self::Io { .. } => None,
        }
    }

    pub(super) fn bad(reason: impl Into<String>) -> Self {
        Self::BadZip { reason: reason.into() }
    }
}
