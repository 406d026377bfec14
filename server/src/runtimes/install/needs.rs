//! Programs that a build needs: they exist, are installed from Debian's packages, or are named in an error.

use std::io::Write;

use crate::runtimes::RuntimeError;
use crate::runtimes::tool::{Tool, on_path};

/// A program and the Debian package that contains it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    command: &'static str,
    package: &'static str,
}

impl Need {
    pub(super) const fn new(command: &'static str, package: &'static str) -> Self {
        Self { command, package }
    }
}

/// Requires that all exist. As root on a machine with apt-get, installs missing ones; otherwise fails with
/// one line.
pub(super) fn ensure(needs: &[Need], out: &mut dyn Write) -> Result<(), RuntimeError> {
    let missing: Vec<&Need> = needs.iter().filter(|need| on_path(need.command).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<String> = missing.iter().map(|need| need.package.to_owned()).collect();
    if !nix::unistd::geteuid().is_root() || on_path("apt-get").is_none() {
        let commands = missing.iter().map(|need| need.command.to_owned()).collect();
        return Err(RuntimeError::Missing { commands, packages });
    }
    writeln!(out, "installing {} by apt-get", packages.join(" "))?;
    let install =
        || Tool::new("apt-get").args(["install", "-y", "--no-install-recommends"]).args(&packages).run();
    if install().is_err() {
        // The package lists may be absent or old.
        Tool::new("apt-get").arg("update").run()?;
        install()?;
    }
    Ok(())
}
