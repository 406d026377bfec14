//! Shared by tests of all modules: pages of `docs/` that are printed from tables of the code, tests that need root,
//! and a store that can be stopped.

mod limited;

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

pub(crate) use limited::Limited;

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

/// Whether pages are being printed, and not compared.
pub(crate) fn is_printing() -> bool {
    std::env::var_os("UPDATE_DOCS").is_some()
}

/// Fails unless this file of the checkout is what the code prints. Writes it if `UPDATE_DOCS` is set.
#[track_caller]
pub(crate) fn assert_printed(file: &str, text: &str) {
    if is_printing() {
        fs::write(path(file), text).unwrap();
    }
    assert!(read(file) == text, "{file} is not what the code prints; `make docs` prints it");
}

/// Whether this is root. If not, the calling test is skipped, which is said at once and, as a line of the file
/// `LAMBD_TEST_SKIPPED`, at the end of all tests; where CI is set, the test fails.
#[track_caller]
pub(crate) fn is_root_or_skipped() -> bool {
    let may_run = may_run(nix::unistd::geteuid().is_root(), std::env::var_os("CI").is_some());
    if !may_run {
        skip("root is missing").unwrap();
    }
    may_run
}

#[track_caller]
fn may_run(is_root: bool, is_ci: bool) -> bool {
    assert!(is_root || !is_ci, "root is missing, and CI is set");
    is_root
}

fn skip(why: &str) -> io::Result<()> {
    // The test harness names each test's thread after it.
    let thread = std::thread::current();
    let line = format!("{}: {why}\n", thread.name().unwrap_or("a test"));
    // Not by a macro, whose output the harness keeps for tests that fail.
    io::stderr().write_all(format!("skipped: {line}").as_bytes())?;
    if let Some(path) = std::env::var_os("LAMBD_TEST_SKIPPED") {
        OpenOptions::new().create(true).append(true).open(path)?.write_all(line.as_bytes())?;
    }
    Ok(())
}

#[test]
fn a_test_that_needs_root_runs_as_root_only() {
    assert!(may_run(true, true) && may_run(true, false));
    assert!(!may_run(false, false));
}

#[test]
#[should_panic(expected = "root is missing, and CI is set")]
fn a_test_that_needs_root_fails_without_it_in_ci() {
    may_run(false, true);
}
