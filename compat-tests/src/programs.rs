//! Programs in C, compiled when they are needed, and a Python probe.

use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context, Result};

use crate::package::{self, ZipEntry};
use crate::tools::{command, run};

/// A static runtime; `fn/bootstrap.c` documents its answers to events.
const BOOTSTRAP: &str = include_str!("../fn/bootstrap.c");
/// A library to preload, which counts the allocations of a process: `fn/allocations.c`.
const ALLOCATIONS: &str = include_str!("../fn/allocations.c");
/// A Python handler, `fn/probe.py`: the event `{"do": NAME, …}` selects its action.
pub const PROBE: &str = include_str!("../fn/probe.py");

/// The static bootstrap as an executable's bytes.
///
/// # Errors
/// If there is no C compiler or no static C library.
pub fn bootstrap() -> Result<&'static [u8]> {
    static BUILT: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| compile(BOOTSTRAP).map_err(|e| format!("{e:#}")));
    built.as_deref().map_err(|e| anyhow::anyhow!("{e}"))
}

/// Compiles the library that counts a process's allocations to `output`.
///
/// # Errors
/// If there is no C compiler.
pub fn allocation_counter(output: &Path) -> Result<()> {
    let input = output.with_extension("c");
    std::fs::write(&input, ALLOCATIONS)?;
    // The compiler's own knowledge of malloc is switched off; with it, the function would call itself.
    run(command("cc").args(["-shared", "-fPIC", "-O2", "-fno-builtin", "-o"]).arg(output).arg(&input))
        .context("a C library")?;
    Ok(())
}

/// Compiles this C source to a static program.
///
/// # Errors
/// If there is no C compiler or no static C library, or if the compilation fails; the error has its messages.
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
/// Those of [`bootstrap`].
pub fn bootstrap_package() -> Result<Vec<u8>> {
    Ok(package::zip(&[ZipEntry::executable("bootstrap", bootstrap()?)]))
}
