//! Programs in C, compiled when they are asked for, and a Python probe.

use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context, Result};

use crate::package::{self, ZipEntry};
use crate::tools::{command, run};

/// `fn/bootstrap.c` says what it answers to which event.
const BOOTSTRAP: &str = include_str!("../fn/bootstrap.c");
/// `fn/allocations.c` counts the allocations of the process that it is preloaded into.
const ALLOCATIONS: &str = include_str!("../fn/allocations.c");
/// `fn/probe.py`: the event `{"do": NAME, …}` picks what the handler does.
pub const PROBE: &str = include_str!("../fn/probe.py");

/// The static bootstrap as an executable's bytes.
///
/// # Errors
/// Without a C compiler and a static C library.
pub fn bootstrap() -> Result<&'static [u8]> {
    static BUILT: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| compile(BOOTSTRAP).map_err(|e| format!("{e:#}")));
    built.as_deref().map_err(|e| anyhow::anyhow!("{e}"))
}

/// The library that counts a process's allocations, compiled to `output`.
///
/// # Errors
/// Without a C compiler.
pub fn allocation_counter(output: &Path) -> Result<()> {
    let input = output.with_extension("c");
    std::fs::write(&input, ALLOCATIONS)?;
    // Without the compiler's own knowledge of malloc: it would see a function that calls itself.
    run(command("cc").args(["-shared", "-fPIC", "-O2", "-fno-builtin", "-o"]).arg(output).arg(&input))
        .context("a C library")?;
    Ok(())
}

/// A static program compiled from this C source.
///
/// # Errors
/// Without a C compiler and a static C library, or with the compiler's messages.
pub fn compile(source: &str) -> Result<Vec<u8>> {
    let dir = tempfile::tempdir()?;
    let (input, output) = (dir.path().join("program.c"), dir.path().join("program"));
    std::fs::write(&input, source)?;
    run(command("cc").args(["-static", "-O2", "-o"]).arg(&output).arg(&input))
        .context("a static C program")?;
    Ok(std::fs::read(output)?)
}

/// A package with the static bootstrap.
///
/// # Errors
/// As [`bootstrap`].
pub fn bootstrap_package() -> Result<Vec<u8>> {
    Ok(package::zip(&[ZipEntry::executable("bootstrap", bootstrap()?)]))
}
