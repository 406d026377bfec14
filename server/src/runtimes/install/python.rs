//! `python3.*`: the host's CPython with AWS's client `awslambdaric`, and with boto3 as on AWS.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::needs::{Need, ensure};
use super::{Plan, bootstrap_script};
use crate::runtimes::interpreter::{Interpreter, cpython};
use crate::runtimes::tool::Tool;
use crate::runtimes::{Manifest, Root, RuntimeError, files, variables};

/// The oldest minor version for which the client is published.
pub(super) const MINOR_MIN: u32 = 10;

/// Packages that pip installs from PyPI into `/var/runtime`.
const REQUIREMENTS: [&str; 2] = ["awslambdaric==4.2.2", "boto3==1.44.5"];

/// The import path is that of AWS's Python runtimes: the function's code, then layers, then the runtime. The
/// client is imported first, so that a function's `json.py` cannot break it, and with the name that it has in
/// AWS's program, because error reporters attach to `__main__.awslambdaricmain`.
const BOOTSTRAP_PY: &str = r#""""Starts the runtime client with the function's code and layers on the import path."""
import os
import sys

from awslambdaric import __main__ as awslambdaricmain

version = "python%d.%d" % sys.version_info[:2]
first = [os.environ["LAMBDA_TASK_ROOT"], "/opt/python/lib/" + version + "/site-packages", "/opt/python"]
sys.path[:] = dict.fromkeys(first + sys.path)
awslambdaricmain.main([sys.argv[0], os.environ["_HANDLER"]])
"#;

#[derive(Debug)]
pub(super) struct Python {
    identifier: String,
    minor: u32,
    found: Interpreter,
}

impl Python {
    pub(super) fn plan(identifier: &str, minor: u32, prefix: Option<&Path>) -> Result<Self, RuntimeError> {
        Ok(Self { identifier: identifier.to_owned(), minor, found: cpython(minor, prefix)? })
    }

    fn ensure_pip(&self, out: &mut dyn Write) -> Result<(), RuntimeError> {
        if Tool::new(&self.found.program).args(["-m", "pip", "--version"]).run().is_ok() {
            return Ok(());
        }
        // Debian has pip in a package of its own; other interpreters contain it.
        ensure(&[Need::new("pip", "python3-pip")], out)
    }

    fn install_client(&self, runtime: &Path, out: &mut dyn Write) -> Result<(), RuntimeError> {
        self.ensure_pip(out)?;
        let python = || Tool::new(&self.found.program);
        writeln!(out, "{}: installing {} by pip", self.identifier, REQUIREMENTS.join(" "))?;
        python()
            .args(["-m", "pip", "install", "--quiet", "--no-compile", "--prefer-binary", "--target"])
            .arg(runtime)
            .args(REQUIREMENTS)
            .run()?;
        files::remove(&runtime.join("bin"))?;
        // Functions cannot write bytecode. It is not checked against file times, which copies do not keep.
        python()
            .args(["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"])
            .arg(runtime)
            .run()?;
        python()
            .args(["-c", "import awslambdaric.bootstrap, runtime_client"])
            .env("PYTHONPATH", runtime)
            .run()?;
        Ok(())
    }
}

impl Plan for Python {
    fn parts(&self) -> Vec<&str> {
        let mut parts = REQUIREMENTS.to_vec();
        parts.push(&self.found.version);
        parts.extend(self.found.prefix.to_str());
        parts
    }

    fn make(&self, dir: &Path, out: &mut dyn Write) -> Result<Manifest, RuntimeError> {
        let Interpreter { program, prefix, version } = &self.found;
        writeln!(out, "{}: CPython {version} of {}", self.identifier, prefix.display())?;
        let runtime = dir.join("runtime");
        files::make_dir(&runtime)?;
        self.install_client(&runtime, out)?;

        let inside = format!("/var/lang/bin/python3.{}", self.minor);
        files::write(&runtime.join("bootstrap.py"), 0o644, BOOTSTRAP_PY)?;
        files::write(
            &runtime.join("bootstrap"),
            0o755,
            &bootstrap_script(&format!("{inside} /var/runtime/bootstrap.py")),
        )?;
        let mut bind = std::collections::BTreeMap::new();
        if self.found.in_usr() {
            let bin = dir.join("lang/bin");
            fs::create_dir_all(&bin).map_err(RuntimeError::io("make the folder", &bin))?;
            for name in [&format!("python3.{}", self.minor), "python3", "python"] {
                let link = bin.join(name);
                symlink(program, &link).map_err(RuntimeError::io("link", &link))?;
            }
        } else {
            bind.insert("/var/lang".into(), prefix.clone());
        }
        Ok(Manifest {
            identifier: self.identifier.clone(),
            root: Root::Host,
            interpreter: Some(format!("CPython {version}, {}", program.display())),
            build: None,
            bootstrap: vec!["/var/runtime/bootstrap".into()],
            bind,
            environment: variables::python(&self.identifier),
        })
    }
}
