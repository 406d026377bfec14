//! Starts that must be refused with one line that gives the cause.

use std::fs::Permissions;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use lambd_compat_tests::wait::until;
use lambd_compat_tests::{FunctionSpec, TestServer, server, tools};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

pub(crate) fn serve(data_dir: &Path, listen: &str) -> Result<Command> {
    let mut serve = tools::command(server::binary()?);
    serve.args(["serve", "--listen", listen, "--data-dir"]).arg(data_dir);
    Ok(serve)
}

/// Runs a `serve` that must end by itself with `status` and one line, and returns the line.
pub(crate) fn refused(serve: &mut Command, status: i32) -> Result<String> {
    let mut process = serve.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let ended = until("the refused server ends", || Ok(process.try_wait()?));
    ended.inspect_err(|_| {
        let _ = process.kill();
    })?;
    let output = process.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.stdout.is_empty(), "its standard output has {}", String::from_utf8_lossy(&output.stdout));
    ensure!(output.status.code() == Some(status), "{}: {text}", output.status);
    let mut lines = text.lines().filter(|l| !l.trim().is_empty() && !l.contains(" INFO "));
    let line = lines.next().context("no line")?.to_owned();
    ensure!(lines.next().is_none(), "more than one line: {text}");
    Ok(line)
}

#[test]
fn a_data_directory_has_one_server() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let line = refused(&mut serve(&server.data_dir(), "127.0.0.1:0")?, 1)?;
    assert!(line.contains(&*server.data_dir().to_string_lossy()), "{line}");
    assert_eq!(server.api.call("GET", "/2015-03-31/functions", None)?.status, 200);
    Ok(())
}

#[test]
fn a_busy_port_is_named_in_the_error() -> Result<()> {
    if !tools::root()? {
        return Ok(());
    }
    let held = TcpListener::bind("127.0.0.1:0")?;
    let address = held.local_addr()?.to_string();
    let dir = tempfile::tempdir()?;
    let line = refused(&mut serve(&dir.path().join("data"), &address)?, 1)?;
    assert!(line.contains(&address), "{line}");
    Ok(())
}

#[test]
fn an_unknown_key_is_named_in_the_error() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("lambd.toml");
    std::fs::write(&file, "no_such_key = 1\n")?;
    let mut with_file = serve(&dir.path().join("data"), "127.0.0.1:0")?;
    with_file.arg("--config").arg(&file);
    let status = with_file.output()?.status.code().unwrap_or(-1);
    assert!(status == 1 || status == 2, "{status}");
    assert!(refused(&mut with_file, status)?.contains("no_such_key"));
    let mut check = tools::command(server::binary()?);
    let check = check.arg("check-config").arg("--config").arg(&file).output()?;
    assert!(!check.status.success() && String::from_utf8_lossy(&check.stderr).contains("no_such_key"));
    Ok(())
}

#[test]
fn an_unknown_flag_is_wrong_usage() -> Result<()> {
    let output = tools::command(server::binary()?).args(["serve", "--no-such-flag"]).output()?;
    assert_eq!(output.status.code(), Some(2));
    Ok(())
}

#[test]
fn only_the_owner_can_read_the_credentials() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let mode = std::fs::metadata(server.data_dir().join("credentials"))?.permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(server.api.signer.secret.len() >= 32);
    Ok(())
}

#[test]
fn the_refusal_of_an_absent_runtime_says_how_to_install_it() -> Result<()> {
    let Some(server) = TestServer::start_with(&["--require-installed-runtime", "true"])? else {
        return Ok(());
    };
    let spec = FunctionSpec::probe().with("Runtime", "ruby3.4");
    let answer = spec.send(&server.api)?;
    assert_eq!((answer.status, answer.code()), (400, "InvalidParameterValueException"), "{}", answer.text());
    let text = answer.message();
    assert!(text.contains("ruby3.4") && text.contains("install"), "{text}");
    Ok(())
}

#[test]
fn an_absent_runtime_is_told_when_its_function_is_invoked() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let function = FunctionSpec::probe().with("Runtime", "ruby3.4").create(&server.api)?;
    let answer = function.invoke(&json!({}))?.answer;
    assert_eq!((answer.status, answer.code()), (502, "InvalidRuntimeException"), "{}", answer.text());
    let text = answer.message();
    assert!(text.contains("ruby3.4") && text.contains("install"), "{text}");
    Ok(())
}

#[test]
fn a_data_directory_that_is_not_root_s_alone_is_refused() -> Result<()> {
    if !tools::root()? {
        return Ok(());
    }
    let dir = tempfile::tempdir()?;
    let made = |name: &str, owner: u32, mode: u32| -> Result<PathBuf> {
        let path = dir.path().join(name);
        std::fs::create_dir(&path)?;
        std::fs::set_permissions(&path, Permissions::from_mode(mode))?;
        chown(&path, Some(owner), None)?;
        Ok(path)
    };
    let closed = made("closed", 0, 0o700)?;
    let link = dir.path().join("link");
    symlink(&closed, &link)?;
    for (path, remedy) in [
        (made("another's", 65_534, 0o755)?, "chown it to root"),
        (made("open", 0, 0o775)?, "chmod go-w it"),
        (link, "name the folder itself"),
    ] {
        let line = refused(&mut serve(&path, "127.0.0.1:0")?, 1)?;
        assert!(line.contains(&*path.to_string_lossy()) && line.contains(remedy), "{line}");
        assert_eq!(std::fs::read_dir(&path)?.count(), 0, "something was made in {}", path.display());
    }
    assert_eq!(mode_of(&closed)?, 0o700, "a link was followed");

    // Folders in it that another user could have filled, or that are links.
    let data = made("data", 0, 0o755)?;
    symlink(&closed, data.join("runtimes"))?;
    assert!(refused(&mut serve(&data, "127.0.0.1:0")?, 1)?.contains("data/runtimes"));
    assert_eq!(mode_of(&closed)?, 0o700, "a link was followed");
    std::fs::remove_file(data.join("runtimes"))?;
    made("data/runtimes", 65_534, 0o755)?;
    assert!(refused(&mut serve(&data, "127.0.0.1:0")?, 1)?.contains("data/runtimes belongs to uid 65534"));
    Ok(())
}

#[test]
fn keys_that_others_may_read_are_refused() -> Result<()> {
    let Some(mut server) = TestServer::start()? else { return Ok(()) };
    server.stop()?;
    let keys = server.data_dir().join("credentials");
    std::fs::set_permissions(&keys, Permissions::from_mode(0o644))?;
    let line = refused(&mut serve(&server.data_dir(), "127.0.0.1:0")?, 1)?;
    assert!(line.contains("credentials has mode 0644") && line.contains("chmod 0600"), "{line}");
    Ok(())
}

fn mode_of(path: &Path) -> Result<u32> {
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o7777)
}

/// The operator chooses the directory's mode; the API process does not even see root's files in it.
#[test]
fn a_closed_data_directory_stays_closed_and_works() -> Result<()> {
    let Some(mut server) = TestServer::start()? else { return Ok(()) };
    server.stop()?;
    let data = server.data_dir();
    std::fs::set_permissions(&data, Permissions::from_mode(0o700))?;
    server.restart()?;
    assert_eq!(mode_of(&data)?, 0o700);
    server.install("provided.al2023")?;
    let function = FunctionSpec::bootstrap()?.create(&server.api)?;
    assert_eq!(function.invoke(&json!([1]))?.ok()?, json!([1]));
    let seen = std::fs::read_dir(format!("/proc/{}/cwd", server.pid()))?;
    let mut seen = seen.map(|entry| Ok(entry?.file_name())).collect::<Result<Vec<_>>>()?;
    seen.sort();
    assert_eq!(seen, ["db", "packages", "runtimes"], "seen by the API process");
    Ok(())
}

#[test]
fn nothing_is_writable_by_others_whatever_the_umask() -> Result<()> {
    if !tools::root()? {
        return Ok(());
    }
    let dir = tempfile::tempdir()?;
    let data = dir.path().join("data");
    let mut masked = tools::command("/bin/sh");
    masked.args(["-c", "umask 0; exec \"$@\"", "sh"]).arg(server::binary()?);
    masked.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data);
    let mut process = masked.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut line = String::new();
    let output = process.stdout.take().context("no pipe")?;
    let heard = BufReader::new(output).read_line(&mut line);
    let modes = std::fs::read_dir(&data)?.map(|entry| {
        let path = entry?.path();
        Ok((mode_of(&path)?, path))
    });
    let modes = modes.collect::<Result<Vec<_>>>();
    kill(Pid::from_raw(process.id().cast_signed()), Signal::SIGTERM)?;
    process.wait()?;
    ensure!(heard? > 0 && line.starts_with("listening on "), "{line:?}");
    for (mode, path) in modes? {
        assert_eq!(mode & 0o022, 0, "{}", path.display());
    }
    // A process that can open a lock file can also lock it.
    assert_eq!((mode_of(&data.join("lock"))?, mode_of(Path::new("/run/lambd"))?), (0o600, 0o700));
    assert_eq!(mode_of(&data.join("endpoint"))?, 0o644);
    Ok(())
}

/// Processes of one user may signal and trace each other.
#[test]
fn servers_without_an_account_share_no_user() -> Result<()> {
    let nobody = ["--user", "no-such-account"];
    let (Some(one), Some(other)) = (TestServer::start_with(&nobody)?, TestServer::start_with(&nobody)?)
    else {
        return Ok(());
    };
    let user = |server: &TestServer| -> Result<String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid()))?;
        let line = status.lines().find(|line| line.starts_with("Uid:")).context("no Uid")?.to_owned();
        // The kernel gives the files of a process that is not dumpable to root.
        let owner = std::fs::metadata(format!("/proc/{}/environ", server.pid()))?.uid();
        ensure!(owner == 0 && !line.contains("\t0"), "owner {owner}, {line}");
        Ok(line)
    };
    assert_ne!(user(&one)?, user(&other)?);
    Ok(())
}

#[test]
fn the_api_process_has_no_right_and_can_gain_none() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid()))?;
    let has = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(has(set), "0000000000000000", "{set}");
    }
    assert_eq!((has("NoNewPrivs:"), has("Groups:")), ("1", ""));
    ensure!(has("Uid:").split_whitespace().all(|uid| uid != "0"), "{status}");
    Ok(())
}

/// The API process has another uid than the folder's owner.
#[test]
fn a_data_directory_may_lie_in_a_private_folder() -> Result<()> {
    let Some(server) = TestServer::start_below(0o700)? else { return Ok(()) };
    server.install("provided.al2023")?;
    let function = FunctionSpec::bootstrap()?.create(&server.api)?;
    assert_eq!(function.invoke(&json!([1]))?.ok()?, json!([1]));
    Ok(())
}
