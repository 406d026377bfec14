//! Compares pages of `docs/` with the tables of the code from which they are printed.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the checkout that is tested, not of the compiled one: several may share a target directory.
fn path(file: &str) -> PathBuf {
    let package =
        std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    Path::new(&package).join("..").join(file)
}

/// A file of the checkout; empty if it does not exist.
pub(crate) fn read(file: &str) -> String {
    fs::read_to_string(path(file)).unwrap_or_default()
}

/// Fails unless this file of the checkout is what the code prints. Writes it if `UPDATE_DOCS` is set.
#[track_caller]
pub(crate) fn assert_printed(file: &str, text: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path(file), text).unwrap();
    }
    assert!(read(file) == text, "{file} is not what the code prints; `make docs` prints it");
}
