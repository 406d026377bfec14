//! Starts that must be refused, with one line that says why.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use lambd_compat_tests::wait::until;
use lambd_compat_tests::{Server, Spec, server, tools};
use serde_json::json;

fn serve(data_dir: &Path, listen: &str) -> Result<Command> {
    let mut serve = tools::command(server::binary()?);
    serve.args(["serve", "--listen", listen, "--data-dir"]).arg(data_dir);
    Ok(serve)
}

/// Runs a `serve` that must end by itself with `status` and one line; gives the line.
fn refused(serve: &mut Command, status: i32) -> Result<String> {
    let mut process = serve.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let ended = until("the refused server ends", || Ok(process.try_wait()?));
    ended.inspect_err(|_| drop(process.kill()))?;
    let output = process.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.stdout.is_empty(), "it said {}", String::from_utf8_lossy(&output.stdout));
    ensure!(output.status.code() == Some(status), "{}: {text}", output.status);
    let mut lines = text.lines().filter(|l| !l.trim().is_empty() && !l.contains(" INFO "));
    let line = lines.next().context("not a word")?.to_owned();
    ensure!(lines.next().is_none(), "more than one line: {text}");
    Ok(line)
}

#[test]
fn a_data_directory_has_one_server() -> Result<()> {
    let Some(server) = Server::shared()? else { return Ok(()) };
    let line = refused(&mut serve(&server.data_dir(), "127.0.0.1:0")?, 1)?;
    assert!(line.contains(&*server.data_dir().to_string_lossy()), "{line}");
    assert_eq!(server.api.call("GET", "/2015-03-31/functions", None)?.status, 200);
    Ok(())
}

#[test]
fn a_busy_port_is_named() -> Result<()> {
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
fn an_unknown_key_is_named() -> Result<()> {
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
fn credentials_are_for_their_owner() -> Result<()> {
    let Some(server) = Server::shared()? else { return Ok(()) };
    let mode = std::fs::metadata(server.data_dir().join("credentials"))?.permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(server.api.signer.secret.len() >= 32);
    Ok(())
}

#[test]
fn a_runtime_that_is_not_installed_says_how() -> Result<()> {
    let Some(server) = Server::shared()? else { return Ok(()) };
    let spec = Spec::probe().with("Runtime", "ruby3.4");
    let answer = spec.send(&server.api)?;
    assert_eq!((answer.status, answer.code()), (400, "InvalidParameterValueException"), "{}", answer.text());
    let text = answer.message();
    assert!(text.contains("ruby3.4") && text.contains("install"), "{text}");
    Ok(())
}

/// The API process has another uid than the folder's owner.
#[test]
fn a_data_directory_may_lie_in_a_private_folder() -> Result<()> {
    let Some(server) = Server::start_below(0o700)? else { return Ok(()) };
    server.install("provided.al2023")?;
    let function = Spec::bootstrap()?.create(&server.api)?;
    assert_eq!(function.invoke(&json!([1]))?.ok()?, json!([1]));
    Ok(())
}
