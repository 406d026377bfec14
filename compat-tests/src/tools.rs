//! External programs: where they are, and what a test does without them.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};

use crate::server::TestServer;

/// A command with no AWS or lambd variables in its environment except those that the caller adds: the server
/// refuses variables that it does not know.
#[must_use]
pub fn command(program: impl AsRef<OsStr>) -> Command {
    #[expect(clippy::disallowed_methods, reason = "tests run the server and its clients")]
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if ["AWS_", "LAMBD_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

/// Sets keys, region and endpoint of `server`, as in a user's shell, and switches retries off.
pub fn point_at<'c>(command: &'c mut Command, server: &TestServer) -> &'c mut Command {
    command.envs([
        ("AWS_ACCESS_KEY_ID", server.api.signer.key.as_str()),
        ("AWS_SECRET_ACCESS_KEY", server.api.signer.secret.as_str()),
        ("AWS_DEFAULT_REGION", server.api.signer.region.as_str()),
        ("AWS_ENDPOINT_URL", server.url.as_str()),
        ("AWS_MAX_ATTEMPTS", "1"),
        ("AWS_PAGER", ""),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ])
}

/// Runs a command and waits for its end.
///
/// # Errors
/// If it cannot start or exits with a status other than 0; the error has its output.
pub fn run(command: &mut Command) -> Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("starting {name}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(
        output.status.success(),
        "{name} {:?} ended with {}\n{}\n{}",
        command.get_args().collect::<Vec<_>>(),
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    Ok(output)
}

/// The path of a file in the target directory of this executable, such as `examples/floor`.
///
/// # Errors
/// If the file does not exist.
pub fn built(file: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    // The path of the executable is …/release/deps/it-….
    let path = own.parent().and_then(Path::parent).context("no target directory")?.join(file);
    ensure!(path.is_file(), "{} is missing: make test and make bench build it", path.display());
    Ok(path)
}

/// A missing tool skips a test, or fails it if CI is set.
///
/// # Errors
/// If `found` is `None` and CI is set.
pub fn need<T>(what: &str, found: Option<T>) -> Result<Option<T>> {
    if found.is_none() {
        ensure!(std::env::var_os("CI").is_none(), "{what} is missing, and CI is set");
        skip(&format!("{what} is missing"))?;
    }
    Ok(found)
}

/// Reports that the calling test is skipped: at once on standard error, and as a line of the file
/// `LAMBD_TEST_SKIPPED`, which is printed after all tests. The test harness itself would silently count the
/// test as passed.
fn skip(why: &str) -> Result<()> {
    // The harness gives the thread of each test the test's name.
    let thread = std::thread::current();
    let line = format!("{}: {why}", thread.name().unwrap_or("a test"));
    say(&format!("skipped: {line}"));
    if let Some(path) = std::env::var_os("LAMBD_TEST_SKIPPED") {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        // One write, because tests run in parallel.
        file.write_all(format!("{line}\n").as_bytes())?;
    }
    Ok(())
}

/// Whether this process is root, which sandboxes need.
///
/// # Errors
/// Those of [`need`].
pub fn root() -> Result<bool> {
    Ok(need("root", nix::unistd::geteuid().is_root().then_some(()))?.is_some())
}

/// Prints to standard error, bypassing the harness's capture of output.
pub fn say(text: &str) {
    // Without standard error there is no reader.
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

fn works(program: &Path, args: &[&str]) -> bool {
    command(program).args(args).output().is_ok_and(|o| o.status.success())
}

/// The AWS CLI, if it is installed.
#[must_use]
pub fn aws() -> Option<PathBuf> {
    on_path("aws").filter(|aws| works(aws, &["--version"]))
}

/// A Python that has boto3, if there is one.
#[must_use]
pub fn python_with_boto3() -> Option<PathBuf> {
    python_with("boto3")
}

/// A Python that has this module, if there is one.
#[must_use]
pub fn python_with(module: &str) -> Option<PathBuf> {
    on_path("python3").filter(|python| works(python, &["-c", &format!("import {module}")]))
}

/// Terraform and a folder with its AWS provider: `LAMBD_TF_PLUGIN_DIR`, or the first
/// `/opt/*plugins*`.
#[must_use]
pub fn terraform() -> Option<(PathBuf, PathBuf)> {
    let found = || {
        let mut dirs: Vec<_> = std::fs::read_dir("/opt").ok()?.flatten().map(|e| e.path()).collect();
        dirs.sort();
        dirs.into_iter().find(|d| d.to_string_lossy().contains("plugins"))
    };
    let mirror = std::env::var_os("LAMBD_TF_PLUGIN_DIR").map(PathBuf::from).or_else(found)?;
    Some((on_path("terraform")?, mirror))
}
