//! Scripts in Python with this project's own boto3, AWS CLI and S3 server.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::server::TestServer;
use crate::{package, programs, tools};

/// A server with the API of S3, `fn/s3_server.py`.
const S3_SERVER: &str = include_str!("../fn/s3_server.py");

/// Runs a script against `server` in a folder of its own, with these arguments. The folder has the script,
/// `probe.zip` ([`programs::PROBE`]), `layer.zip` (a module `layer` with a `text`), and these files.
///
/// # Errors
/// If the script fails; the error has its output. If there is no Python with boto3 and CI is set.
pub fn run(server: &TestServer, script: &str, arguments: &[&str], files: &[(&str, Vec<u8>)]) -> Result<()> {
    let found = tools::need("a Python with boto3", tools::python_with_boto3())?;
    let Some(python) = found else { return Ok(()) };
    server.install("python3.11")?;
    let dir = tempfile::tempdir()?;
    let write = |name: &str, data: &[u8]| std::fs::write(dir.path().join(name), data);
    write("script.py", script.as_bytes())?;
    write("probe.zip", &package::files(&[("probe.py", programs::PROBE)]))?;
    write("layer.zip", &layer())?;
    for (name, data) in files {
        write(name, data)?;
    }
    let mut command = tools::command(python);
    tools::point_at(&mut command, server).current_dir(dir.path()).arg("script.py").args(arguments);
    tools::run(&mut command)?;
    Ok(())
}

/// A layer for Python: the module `layer`, whose `text` is `layer`.
#[must_use]
pub fn layer() -> Vec<u8> {
    package::files(&[("python/layer.py", "text = 'layer'\n")])
}

/// A server with the API of S3, until this value is dropped.
#[derive(Debug)]
pub struct S3Server {
    /// Its address, `http://127.0.0.1:PORT`.
    pub url: String,
    process: Child,
    _dir: TempDir,
}

impl S3Server {
    /// Starts one without objects. Reports a skipped test and returns `None` if there is no Python with moto.
    ///
    /// # Errors
    /// If it does not start, or if there is no moto and CI is set.
    pub fn start() -> Result<Option<Self>> {
        let found = tools::need("a Python with moto", tools::python_with("moto.server"))?;
        let Some(python) = found else { return Ok(None) };
        let dir = tempfile::tempdir()?;
        std::fs::write(dir.path().join("s3_server.py"), S3_SERVER)?;
        let mut serve = tools::command(python);
        serve.arg("s3_server.py").current_dir(dir.path());
        // The open standard input keeps it running, and no longer than this process.
        let serve = serve.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = serve.spawn()?;
        let output = process.stdout.take().context("no pipe from standard output")?;
        let mut url = String::new();
        BufReader::new(output).read_line(&mut url)?;
        let server = Self { url: url.trim().to_owned(), process, _dir: dir };
        ensure!(server.url.starts_with("http://127.0.0.1:"), "no address but {:?}", server.url);
        Ok(Some(server))
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
