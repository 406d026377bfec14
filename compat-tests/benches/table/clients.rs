//! Runtime clients for the same echo function: a bootstrap in C that does only what is necessary, and AWS's
//! clients for Python, Node.js and Rust.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use lambd_compat_tests::package::{self, ZipEntry};
use lambd_compat_tests::{FunctionSpec, programs, tools};

const PYTHON: &[u8] = b"def handler(event, context):\n    return event\n";
const NODE: &[u8] = b"export const handler = async (event) => event;\n";
const RUNTIME_DIR: &str = "/var/runtime";
const LANG_DIR: &str = "/var/lang";

/// A client with its echo function: a package of one file.
pub(crate) struct Client {
    /// The name in the table.
    pub(crate) name: &'static str,
    /// The runtime that must be installed.
    pub(crate) runtime: &'static str,
    file: &'static str,
    content: Vec<u8>,
}

impl Client {
    pub(crate) fn c() -> Result<Self> {
        Ok(Self {
            name: "C",
            runtime: "provided.al2023",
            file: "bootstrap",
            content: programs::bootstrap()?.to_vec(),
        })
    }

    pub(crate) fn rust() -> Result<Self> {
        let content = fs::read(tools::built("rust-client")?)?;
        Ok(Self { name: "Rust", runtime: "provided.al2023", file: "bootstrap", content })
    }

    pub(crate) fn python() -> Self {
        Self { name: "Python", runtime: "python3.11", file: "app.py", content: PYTHON.to_vec() }
    }

    pub(crate) fn node() -> Self {
        Self { name: "Node", runtime: "nodejs20.x", file: "app.mjs", content: NODE.to_vec() }
    }

    /// The specification of the function.
    pub(crate) fn spec(&self) -> FunctionSpec {
        let file = match self.file {
            "bootstrap" => ZipEntry::executable(self.file, &self.content),
            _ => ZipEntry::file(self.file, &self.content),
        };
        FunctionSpec::new(self.runtime, "app.handler", &package::zip(&[file]))
    }

    /// The same function without a sandbox: it is unpacked to `task` and started like its runtime in
    /// `data_dir`.
    pub(crate) fn bare(&self, data_dir: &Path, task: &Path) -> Result<Command> {
        let file = task.join(self.file);
        fs::write(&file, &self.content)?;
        let mut command = if self.file == "bootstrap" {
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
            tools::command(&file)
        } else {
            managed(&data_dir.join("runtimes").join(self.runtime), task)
                .with_context(|| format!("the runtime {}", self.runtime))?
        };
        command.current_dir(task).env("LAMBDA_TASK_ROOT", task).envs([
            ("AWS_LAMBDA_FUNCTION_NAME", "floor"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "floor"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "floor"),
            ("AWS_REGION", "us-east-1"),
            ("_HANDLER", "app.handler"),
        ]);
        Ok(command)
    }
}

/// The bootstrap script of a managed runtime, with its paths outside a sandbox.
fn managed(runtime: &Path, task: &Path) -> Result<Command> {
    let manifest = fs::read_to_string(runtime.join("runtime.toml"))?;
    let lang = manifest.lines().find_map(|line| line.strip_prefix("\"/var/lang\" = \"")?.strip_suffix('"'));
    let lang = lang.map_or_else(|| runtime.join("lang"), Into::into);
    let dir = runtime.join("runtime");
    let script = fs::read_to_string(dir.join("bootstrap"))?
        .replace(RUNTIME_DIR, &dir.to_string_lossy())
        .replace(LANG_DIR, &lang.to_string_lossy());
    let path = task.join("bootstrap.sh");
    fs::write(&path, script)?;
    let mut command = tools::command("sh");
    command.arg(path).env("PYTHONPATH", &dir).env("LAMBDA_RUNTIME_DIR", &dir);
    Ok(command)
}
