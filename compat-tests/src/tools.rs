//! Programs from outside: where they are, and what a test does without them.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};

use crate::server::Server;

/// A command with nothing of AWS and lambd in its environment but what the caller adds: the server
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

/// Keys, region and endpoint of `server`, as a user's shell would have them, and no retries.
pub fn point_at<'c>(command: &'c mut Command, server: &Server) -> &'c mut Command {
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

/// Runs a command to its end.
///
/// # Errors
/// When it cannot start, or ends with another status than 0; then with what it printed.
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

/// A file of the target directory that this executable lies in, such as `examples/floor`.
///
/// # Errors
/// When it is not there.
pub fn built(file: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    // The executable is …/release/deps/it-….
    let path = own.parent().and_then(Path::parent).context("no target directory")?.join(file);
    ensure!(path.is_file(), "{} is missing: make test and make bench build it", path.display());
    Ok(path)
}

/// A missing tool skips a test on a developer's machine and fails it where CI is set.
///
/// # Errors
/// When `found` is None and CI is set.
pub fn need<T>(what: &str, found: Option<T>) -> Result<Option<T>> {
    if found.is_none() {
        ensure!(std::env::var_os("CI").is_none(), "{what} is missing, and CI is set");
        skip(&format!("{what} is missing"))?;
    }
    Ok(found)
}

/// Says that the calling test is skipped: at once, and, as a line of the file `LAMBD_TEST_SKIPPED`, at the end of all
/// tests. The test harness would count it as passed and be silent.
fn skip(why: &str) -> Result<()> {
    // The harness names each test's thread after it.
    let thread = std::thread::current();
    let line = format!("{}: {why}", thread.name().unwrap_or("a test"));
    say(&format!("skipped: {line}"));
    if let Some(path) = std::env::var_os("LAMBD_TEST_SKIPPED") {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        // In one piece: tests run side by side.
        file.write_all(format!("{line}\n").as_bytes())?;
    }
    Ok(())
}

/// Whether this is root, without whom there is no sandbox.
///
/// # Errors
/// As [`need`].
pub fn root() -> Result<bool> {
    Ok(need("root", nix::unistd::geteuid().is_root().then_some(()))?.is_some())
}

/// Tells whoever runs the tests, past the capture of a test's output.
pub fn say(text: &str) {
    // Nobody is left to tell when standard error is gone.
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

fn works(program: &Path, args: &[&str]) -> bool {
    command(program).args(args).output().is_ok_and(|o| o.status.success())
}

/// The AWS CLI.
#[must_use]
pub fn aws() -> Option<PathBuf> {
    on_path("aws").filter(|aws| works(aws, &["--version"]))
}

/// A Python that has boto3.
#[must_use]
pub fn python_with_boto3() -> Option<PathBuf> {
    on_path("python3").filter(|python| works(python, &["-c", "import boto3"]))
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
