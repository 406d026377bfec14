//! Runtimes that seem to be installed, for tests that start none.

use std::fs;
use std::path::Path;

use super::{Manifest, Root, dir_of, manifest, variables};

/// Writes the manifest of a runtime whose function contains its own program.
pub(crate) fn pretend(data_dir: &Path, identifier: &str) {
    let manifest_of = Manifest {
        identifier: identifier.to_owned(),
        root: Root::Host,
        interpreter: None,
        build: None,
        bootstrap: vec!["/var/task/bootstrap".into()],
        bind: [].into(),
        environment: variables::provided(),
    };
    let dir = dir_of(data_dir).join(identifier);
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join(manifest::FILE_NAME), manifest_of.to_toml().unwrap()).unwrap();
}
