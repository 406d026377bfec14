//! A name for the server of one data directory: what its predecessor left is swept, another server's is not.

use std::path::Path;

use sha2::{Digest as _, Sha256};

/// Short, stable, made of the canonical path: names the control groups.
pub(super) fn name(data_dir: &Path) -> String {
    let path = std::fs::canonicalize(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    let hash = Sha256::digest(path.as_os_str().as_encoded_bytes());
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_for_each_directory() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert_eq!(name(a.path()), name(&a.path().join(".")));
        assert_ne!(name(a.path()), name(b.path()));
        assert_eq!(name(a.path()).len(), 12);
    }
}
