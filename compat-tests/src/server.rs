//! A `lambd serve` of a test's own, or one that the tests of a run share.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::api::ApiClient;
use crate::host::{self, Footprint};
use crate::sigv4::TestSigner;
use crate::tools::{self, command};
use crate::wait::until;

/// How long a start may take before the test fails.
const START: Duration = Duration::from_secs(60);

/// A running server with its own data directory.
#[derive(Debug)]
pub struct TestServer {
    /// Its address, `http://127.0.0.1:PORT`.
    pub url: String,
    /// The same address with the keys.
    pub api: ApiClient,
    process: Child,
    dir: TempDir,
    installed: Mutex<BTreeSet<String>>,
    allowed: Mutex<Vec<String>>,
    /// Whether SIGTERM was sent: a second signal would end the drain early.
    is_ending: AtomicBool,
}

/// The path of the binary: `LAMBD_BIN`, or `lambd` in the target directory of this executable.
///
/// # Errors
/// If it does not exist.
pub fn binary() -> Result<PathBuf> {
    let Some(path) = std::env::var_os("LAMBD_BIN").map(PathBuf::from) else {
        return tools::built("lambd");
    };
    ensure!(path.is_file(), "LAMBD_BIN: {} is missing", path.display());
    Ok(path)
}

impl TestServer {
    /// Starts a server that only this test uses. Reports a skipped test and returns `None` if this is not
    /// root.
    ///
    /// # Errors
    /// If it does not start, or if this is not root and CI is set.
    pub fn start() -> Result<Option<Self>> {
        Self::start_in(0o755, &[], &[])
    }

    /// Like [`TestServer::start`], by a command that executes the arguments after its own: `prlimit`, `env`.
    ///
    /// # Errors
    /// Those of [`TestServer::start`].
    pub fn start_by(wrapper: &[&str], arguments: &[&str]) -> Result<Option<Self>> {
        Self::start_in(0o755, wrapper, arguments)
    }

    /// Like [`TestServer::start`], with more arguments of `serve`.
    ///
    /// # Errors
    /// Those of [`TestServer::start`].
    pub fn start_with(arguments: &[&str]) -> Result<Option<Self>> {
        Self::start_in(0o755, &[], arguments)
    }

    /// Like [`TestServer::start`], in a new folder with this mode.
    ///
    /// # Errors
    /// Those of [`TestServer::start`].
    pub fn start_below(mode: u32) -> Result<Option<Self>> {
        Self::start_in(mode, &[], &[])
    }

    /// Like [`TestServer::start_with`], on a data directory that `prepare` makes.
    ///
    /// # Errors
    /// Those of [`TestServer::start`] and of `prepare`.
    pub fn start_on(prepare: impl FnOnce(&Path) -> Result<()>, arguments: &[&str]) -> Result<Option<Self>> {
        Self::start_prepared(0o755, prepare, &[], arguments)
    }

    fn start_in(mode: u32, wrapper: &[&str], arguments: &[&str]) -> Result<Option<Self>> {
        Self::start_prepared(mode, |_| Ok(()), wrapper, arguments)
    }

    fn start_prepared(
        mode: u32,
        prepare: impl FnOnce(&Path) -> Result<()>,
        wrapper: &[&str],
        arguments: &[&str],
    ) -> Result<Option<Self>> {
        if !tools::root()? {
            return Ok(None);
        }
        let permissions = fs::Permissions::from_mode(mode);
        let dir = tempfile::Builder::new().prefix("lambd-test-").permissions(permissions).tempdir()?;
        prepare(&data_dir(dir.path()))?;
        let (process, url, api) = launch(dir.path(), wrapper, arguments)?;
        let (installed, allowed) = (Mutex::default(), Mutex::default());
        Ok(Some(Self { url, api, process, dir, installed, allowed, is_ending: AtomicBool::new(false) }))
    }

    /// The server that tests share: it starts with the first of them and ends when no test has it.
    ///
    /// # Errors
    /// Those of [`TestServer::start`].
    pub fn shared() -> Result<Option<Arc<Self>>> {
        static SHARED: Mutex<Weak<TestServer>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Ok(Some(server));
        }
        let started = Self::start()?.map(Arc::new);
        *shared = started.as_ref().map(Arc::downgrade).unwrap_or_default();
        Ok(started)
    }

    /// Installs a runtime into the data directory, unless it is installed.
    ///
    /// # Errors
    /// If the command fails; the error has its output.
    pub fn install(&self, runtime: &str) -> Result<()> {
        let mut installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner);
        if !installed.contains(runtime) {
            let mut install = command(binary()?);
            install.args(["runtime", "install", "--data-dir"]).arg(self.data_dir()).arg(runtime);
            tools::run(&mut install)?;
            installed.insert(runtime.to_owned());
        }
        Ok(())
    }

    /// Accepts WARN and ERROR lines with this text when the log is checked.
    pub fn allow(&self, text: &str) {
        self.allowed.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
    }

    /// The data directory.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        data_dir(self.dir.path())
    }

    /// The process id of the server's first process.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.process.id().cast_signed()
    }

    /// The process id of its launcher: the only child in the host's pid namespace that has children itself.
    ///
    /// # Errors
    /// If there is none, or more than one.
    pub fn launcher(&self) -> Result<i32> {
        let children = host::children(self.pid());
        let [launcher] = children[..] else { bail!("not one launcher but {children:?}") };
        Ok(launcher)
    }

    /// The whole log of the server.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(log_path(self.dir.path()))?)
    }

    /// Its traces on the host now, and those of environments marked by `mark`.
    #[must_use]
    pub fn footprint(&self, mark: &str) -> Footprint {
        Footprint::of(self.pid(), &self.data_dir(), mark)
    }

    /// The output of `lambd logs NAME`.
    ///
    /// # Errors
    /// If the command fails.
    pub fn logs(&self, name: &str) -> Result<String> {
        let mut logs = command(binary()?);
        logs.args(["logs", "--data-dir"]).arg(self.data_dir()).arg(name);
        let output = tools::run(tools::point_at(&mut logs, self))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Waits until `lambd logs NAME` has `text`, and returns all of it.
    ///
    /// # Errors
    /// If the text does not appear.
    pub fn logs_with(&self, name: &str, text: &str) -> Result<String> {
        until(&format!("{text:?} in the log of {name}"), || {
            Ok(Some(self.logs(name)?).filter(|l| l.contains(text)))
        })
    }

    /// Bytes that the files of the data directory use.
    ///
    /// # Errors
    /// If an existing folder cannot be read.
    pub fn disk_bytes(&self) -> Result<u64> {
        fn size(path: &Path) -> u64 {
            use std::os::unix::fs::MetadataExt as _;
            let Ok(meta) = fs::symlink_metadata(path) else { return 0 }; // it was removed
            let children = if meta.is_dir() {
                fs::read_dir(path).into_iter().flatten().flatten()
            } else {
                return meta.blocks() * 512;
            };
            children.map(|e| size(&e.path())).sum()
        }
        Ok(size(&self.data_dir()))
    }

    /// Kills the server with SIGKILL.
    ///
    /// # Errors
    /// If it has ended already.
    pub fn kill9(&mut self) -> Result<()> {
        ensure!(self.process.try_wait()?.is_none(), "the server ended by itself:\n{}", self.log_tail());
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Starts it again on the same data directory.
    ///
    /// # Errors
    /// If it does not start.
    pub fn restart(&mut self) -> Result<()> {
        (self.process, self.url, self.api) = launch(self.dir.path(), &[], &[])?;
        self.is_ending.store(false, Ordering::Release);
        Ok(())
    }

    /// Sends SIGTERM without waiting.
    ///
    /// # Errors
    /// If it has ended already.
    pub fn terminate(&self) -> Result<()> {
        self.is_ending.store(true, Ordering::Release);
        Ok(kill(Pid::from_raw(self.pid()), Signal::SIGTERM)?)
    }

    /// Sends SIGTERM, if that was not done, and waits; the server must exit with status 0 and a clean log.
    ///
    /// # Errors
    /// If it does not.
    pub fn stop(&mut self) -> Result<()> {
        if self.process.try_wait()?.is_none() && !self.is_ending.load(Ordering::Acquire) {
            self.terminate()?;
        }
        let ended = until("the server ends after SIGTERM", || Ok(self.process.try_wait()?));
        let status = ended.inspect_err(|_| {
            let _ = self.process.kill();
        })?;
        ensure!(status.success(), "the server ended with {status}:\n{}", self.log_tail());
        let allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        let log = fs::read_to_string(log_path(self.dir.path()))?;
        let bad: Vec<_> =
            log.lines().filter(|l| alarming(l) && !allowed.iter().any(|a| l.contains(a))).collect();
        ensure!(
            bad.is_empty(),
            "{} unlisted lines in the server's log, first:\n{}",
            bad.len(),
            bad[..bad.len().min(5)].join("\n")
        );
        Ok(())
    }

    /// The end of the server's log, for messages.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let log = fs::read(log_path(self.dir.path())).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(3000)..]).into_owned()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let stopped = match self.process.try_wait() {
            Ok(Some(_)) => Ok(()), // the test ended it and has checked the result
            _ => self.stop(),
        };
        if let Err(e) = stopped {
            let _ = self.process.kill();
            assert!(std::thread::panicking(), "{e:#}");
        }
    }
}

/// Whether a line of the server's log, in text or JSON, is a warning, an error or a panic.
fn alarming(line: &str) -> bool {
    [" WARN ", " ERROR ", "\"level\":\"WARN\"", "\"level\":\"ERROR\"", "panicked at"]
        .iter()
        .any(|m| line.contains(m))
}

fn data_dir(dir: &Path) -> PathBuf {
    dir.join("data")
}

fn log_path(dir: &Path) -> PathBuf {
    dir.join("log")
}

/// Starts a server in `dir` and waits for its one line on standard output.
fn launch(dir: &Path, wrapper: &[&str], arguments: &[&str]) -> Result<(Child, String, ApiClient)> {
    let log: File = OpenOptions::new().create(true).append(true).open(log_path(dir))?;
    let binary = binary()?;
    let mut words = wrapper.iter().map(OsStr::new).chain([binary.as_os_str()]);
    let mut serve = command(words.next().context("no command")?);
    serve.args(words);
    serve.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir(dir)).args(arguments);
    let mut process = serve.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn()?;
    let (say, said) = mpsc::channel();
    let output = process.stdout.take().context("no pipe from standard output")?;
    std::thread::spawn(move || {
        BufReader::new(output).lines().map_while(Result::ok).try_for_each(|l| say.send(l))
    });
    let line = said.recv_timeout(START).unwrap_or_default();
    let Some(url) = line.strip_prefix("listening on ").filter(|url| url.starts_with("http://127.0.0.1:"))
    else {
        let _ = process.kill();
        let _ = process.wait();
        bail!(
            "no 'listening on …' but {line:?}; log:\n{}",
            fs::read_to_string(log_path(dir)).unwrap_or_default()
        );
    };
    let address = url.trim_start_matches("http://").parse()?;
    let signer = keys(&data_dir(dir).join("credentials"))?;
    Ok((process, url.to_owned(), ApiClient { address, signer }))
}

fn keys(file: &Path) -> Result<TestSigner> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let value = |name: &str| {
        let line = text.lines().find_map(|l| l.trim().strip_prefix(name)?.trim().strip_prefix('='));
        line.map(|v| v.trim().to_owned()).with_context(|| format!("no {name} in {}", file.display()))
    };
    let (key, secret) = (value("aws_access_key_id")?, value("aws_secret_access_key")?);
    Ok(TestSigner { key, secret, region: "us-east-1".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_errors_and_panics_alarm() {
        let cases = [
            ("2026-11-23T20:49:18.873959Z  INFO lambd::serve: draining", false),
            ("2026-11-23T20:49:18.873959Z  WARN lambd::serve: slow", true),
            ("2026-11-23T20:49:18.873959Z ERROR lambd::serve: failed", true),
            (r#"{"timestamp":"t","level":"WARN","fields":{}}"#, true),
            (r#"{"timestamp":"t","level":"INFO","fields":{"text":"a WARNING"}}"#, false),
            ("thread 'main' panicked at server/src/main.rs:1:1:", true),
        ];
        for (line, expected) in cases {
            assert_eq!(alarming(line), expected, "{line}");
        }
    }
}
