//! The other commands of the binary, and settings that change who may call.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;

use anyhow::{Context as _, Result, ensure};
use lambd_compat_tests::api::{ApiRequest, FUNCTIONS};
use lambd_compat_tests::wait::WAIT_TIMEOUT;
use lambd_compat_tests::{FunctionSpec, TestServer, server, tools};
use serde_json::json;

fn lambd(arguments: &[&str]) -> Result<Command> {
    let mut lambd = tools::command(server::binary()?);
    lambd.args(arguments);
    Ok(lambd)
}

fn lines(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_version_is_printed_and_wrong_usage_exits_with_2() -> Result<()> {
    let version = tools::run(&mut lambd(&["version"])?)?.stdout;
    assert_eq!(String::from_utf8(version)?, format!("lambd {}\n", env!("CARGO_PKG_VERSION")));
    for wrong in [&["no-such-command"][..], &[], &["runtime"], &["logs"], &["serve", "--listen", "nowhere"]] {
        assert_eq!(lambd(wrong)?.output()?.status.code(), Some(2), "{wrong:?}");
    }
    Ok(())
}

#[test]
fn a_configuration_is_checked_without_a_start() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("lambd.toml");
    let data = dir.path().join("data");
    let check = |text: String| -> Result<(Option<i32>, String)> {
        std::fs::write(&file, text)?;
        Ok(lines(&lambd(&["check-config", "--config"])?.arg(&file).output()?))
    };
    let good = check(format!("listen = \"127.0.0.1:0\"\ndata_dir = {data:?}\n"))?;
    assert_eq!(good.0, Some(0), "{}", good.1);
    assert!(!data.exists(), "checking made the data directory");
    for (text, named) in [
        ("auth = \"off\"\nlisten = \"0.0.0.0:3001\"\n", "auth"),
        ("account_id = \"12\"\n", "account_id"),
        ("listen = \n", "lambd.toml:1"),
    ] {
        let (status, said) = check(text.to_owned())?;
        ensure!(
            status == Some(1) && said.lines().count() == 1 && said.contains(named),
            "{text}: {status:?} {said}"
        );
    }
    let unknown = lines(&lambd(&["check-config"])?.env("LAMBD_NO_SUCH_KEY", "1").output()?);
    ensure!(unknown.0 == Some(1) && unknown.1.contains("LAMBD_NO_SUCH_KEY"), "{unknown:?}");
    Ok(())
}

#[test]
fn runtimes_are_installed_listed_and_removed() -> Result<()> {
    let Some(server) = TestServer::start()? else { return Ok(()) };
    let dir = server.data_dir();
    let list = || -> Result<String> {
        let output = tools::run(lambd(&["runtime", "list", "--data-dir"])?.arg(&dir))?;
        Ok(String::from_utf8(output.stdout)?)
    };
    ensure!(!list()?.contains("provided.al2023"), "it is there before it is installed");
    server.install("provided.al2023")?;
    ensure!(list()?.contains("provided.al2023"), "{}", list()?);
    let function = FunctionSpec::bootstrap()?.create(&server.api)?;
    assert_eq!(function.invoke(&json!([1]))?.ok()?, json!([1]));
    tools::run(lambd(&["runtime", "remove", "--data-dir"])?.arg(&dir).arg("provided.al2023"))?;
    let refused = FunctionSpec::bootstrap()?.create(&server.api)?.invoke(&json!([1]))?.answer;
    ensure!(
        refused.status == 502 && refused.message().contains("install"),
        "{} {}",
        refused.status,
        refused.text()
    );
    let (status, said) =
        lines(&lambd(&["runtime", "install", "--data-dir"])?.arg(&dir).arg("cobol85").output()?);
    ensure!(status == Some(1) && said.contains("cobol85"), "{status:?} {said}");
    Ok(())
}

#[test]
fn logs_can_be_followed() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let function = FunctionSpec::bootstrap()?.create(&server.api)?;
    let first = function.invoke(&json!({}))?;
    server.logs_with(&function.name, &format!("REPORT RequestId: {}", first.id()?))?;
    let mut follow = lambd(&["logs", "--follow", "--data-dir"])?;
    follow.arg(server.data_dir()).arg(&function.name);
    let mut follow = tools::point_at(&mut follow, &server).stdout(Stdio::piped()).spawn()?;
    let output = follow.stdout.take().context("no pipe")?;
    let (say, said) = mpsc::channel();
    std::thread::spawn(move || {
        BufReader::new(output).lines().map_while(Result::ok).try_for_each(|l| say.send(l))
    });
    let wait = |id: &str| -> Result<()> {
        let report = format!("REPORT RequestId: {id}");
        while !said.recv_timeout(WAIT_TIMEOUT).with_context(|| report.clone())?.contains(&report) {}
        Ok(())
    };
    let followed = wait(first.id()?).and_then(|()| {
        let second = function.invoke(&json!({}))?;
        wait(second.id()?)
    });
    follow.kill()?;
    follow.wait()?;
    followed
}

#[test]
fn unsigned_requests_pass_if_checking_is_off() -> Result<()> {
    let Some(server) = TestServer::start_with(&["--auth", "off"])? else { return Ok(()) };
    assert_eq!(server.api.send_unsigned(&ApiRequest::new("GET", FUNCTIONS))?.status, 200);
    assert_eq!(server.api.call("GET", FUNCTIONS, None)?.status, 200, "signed ones pass as well");
    Ok(())
}

#[test]
fn the_servers_own_log_can_be_json() -> Result<()> {
    let Some(mut server) = TestServer::start_with(&["--log-format", "json", "--log-level", "info"])? else {
        return Ok(());
    };
    server.stop()?;
    let log = server.log_tail();
    ensure!(!log.trim().is_empty(), "nothing at level info");
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
        ensure!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
    }
    Ok(())
}
