//! What a hostile function sees and can do, tried inside a real one (`fn/probe.py`, which first checks that
//! it is inside).

use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use lambd_compat_tests::wait::until;
use lambd_compat_tests::{FunctionSpec, TestFunction, TestServer};
use serde_json::{Value, json};

const ENOSPC: i64 = 28;
const EAGAIN: i64 = 11;
const EMFILE: i64 = 24;

fn inside() -> Result<Option<(Arc<TestServer>, TestFunction)>> {
    let Some(server) = TestServer::shared()? else { return Ok(None) };
    server.install("python3.11")?;
    let function = FunctionSpec::probe().with("MemorySize", 1024).with("Timeout", 60).create(&server.api)?;
    Ok(Some((server, function)))
}

fn ask(function: &TestFunction, what: &str, mut arguments: Value) -> Result<Value> {
    arguments["do"] = json!(what);
    function.invoke(&arguments)?.ok()
}

/// The namespaces of this process, by which the probe checks that it is not on the host.
fn host() -> Result<Value> {
    let link = |kind: &str| std::fs::read_link(format!("/proc/self/ns/{kind}"));
    let (mnt, pid) = (link("mnt")?, link("pid")?);
    Ok(json!({ "host": { "mnt": mnt.to_string_lossy(), "pid": pid.to_string_lossy() } }))
}

#[test]
fn nobody_with_nothing() -> Result<()> {
    let Some((server, function)) = inside()? else { return Ok(()) };
    let got = ask(&function, "identity", json!({}))?;
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        ensure!(got[set].as_str().is_some_and(|c| c.bytes().all(|b| b == b'0')), "{set} in {got}");
    }
    assert_eq!((&got["NoNewPrivs"], &got["Seccomp"]), (&json!("1"), &json!("2")));
    ensure!(got["uid"] != 0 && got["gid"] != 0, "{got}");
    for kind in ["mnt", "pid", "net", "ipc", "uts", "cgroup"] {
        let own = std::fs::read_link(format!("/proc/self/ns/{kind}"))?;
        ensure!(got["namespaces"][kind] != *own.to_string_lossy(), "{kind} is the host's");
    }
    let second = FunctionSpec::probe().create(&server.api)?;
    ensure!(ask(&second, "identity", json!({}))?["uid"] != got["uid"], "two environments share a uid");
    Ok(())
}

#[test]
fn no_attack_gains_anything() -> Result<()> {
    let Some((_server, function)) = inside()? else { return Ok(()) };
    let tries = ask(&function, "attack", host()?)?;
    let tries = tries.as_object().context("no object")?;
    let gained: Vec<_> = tries.iter().filter(|(_, v)| *v == "gained").map(|(k, _)| k).collect();
    ensure!(gained.is_empty(), "gained {gained:?}");
    ensure!(tries.len() > 20, "only {} were tried", tries.len());
    assert_eq!(ask(&function, "identity", json!({}))?["Seccomp"], "2", "the environment is still alive");
    Ok(())
}

#[test]
fn files_of_the_host_are_not_there() -> Result<()> {
    let Some((server, function)) = inside()? else { return Ok(()) };
    let dir = server.data_dir();
    let secret =
        [dir.clone(), dir.join("credentials"), "/etc/shadow".into(), "/root".into(), "/var/lib/lambd".into()];
    let paths: Vec<_> = secret.iter().map(|p| p.to_string_lossy()).collect();
    let got = ask(&function, "files", json!({ "paths": paths }))?;
    ensure!(got.as_object().is_some_and(|g| g.values().all(|v| v == false)), "readable: {got}");
    let read_only = ["/var/task/probe.py", "/usr/bin/env", "/etc/passwd", "/proc/self/mem-not-there"];
    let got = ask(&function, "write", json!({ "paths": read_only }))?;
    ensure!(got.as_object().is_some_and(|g| g.values().all(|v| v != 0)), "writable: {got}");
    let own = ask(&function, "files", json!({ "paths": ["/var/task/probe.py", "/tmp"] }))?;
    assert_eq!(own, json!({ "/var/task/probe.py": true, "/tmp": true }), "the check itself works");
    Ok(())
}

#[test]
fn only_its_own_processes_show() -> Result<()> {
    let Some((_server, function)) = inside()? else { return Ok(()) };
    let seen = ask(&function, "processes", json!({}))?;
    let seen = seen.as_object().context("no object")?;
    ensure!((1..8).contains(&seen.len()), "{seen:?}");
    ensure!(
        seen.values().any(|line| line.as_str().is_some_and(|l| l.contains("python"))),
        "not even itself: {seen:?}"
    );
    Ok(())
}

#[test]
fn the_network_of_the_host_is_out_of_reach() -> Result<()> {
    let Some((server, function)) = inside()? else { return Ok(()) };
    let tcp = TcpListener::bind("127.0.0.1:0")?;
    let name = format!("lambd-test-{}", uuid::Uuid::new_v4());
    let _unix = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
    let targets = json!({ "targets": [
        ["127.0.0.1", tcp.local_addr()?.port()],
        ["127.0.0.1", server.api.address.port()],
        ["169.254.169.254", 80],
    ]});
    assert_eq!(ask(&function, "connect", targets)?, json!([]));
    ensure!(
        ask(&function, "abstract", json!({ "name": name }))? != 0,
        "an abstract socket of the host answered"
    );
    Ok(())
}

#[test]
fn resources_end_where_they_should() -> Result<()> {
    let Some((server, function)) = inside()? else { return Ok(()) };
    let other = FunctionSpec::probe().create(&server.api)?;
    let open = ask(&function, "descriptors", json!({}))?;
    assert_eq!(open, json!({ "errno": EMFILE, "limit": [1024, 1024] }));

    let mut request = host()?;
    request["limit"] = json!(1500);
    let forked = ask(&function, "forks", request)?;
    ensure!(
        forked["errno"] == EAGAIN && forked["made"].as_i64().is_some_and(|n| (10..1024).contains(&n)),
        "{forked}"
    );
    assert_eq!(other.invoke(&json!([1]))?.ok()?, json!([1]));
    Ok(())
}

/// On AWS `/tmp` is on disk and is not charged to the function's memory.
#[test]
fn a_small_function_can_fill_its_tmp() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("python3.11")?;
    let function = FunctionSpec::probe().with("MemorySize", 128).with("Timeout", 60).create(&server.api)?;
    let mut request = host()?;
    request["limit_mb"] = json!(700);
    let filled = ask(&function, "fill", request.clone())?;
    let mb = filled["mb"].as_i64().context("nothing was tried")?;
    ensure!(filled["errno"] == ENOSPC && (440..=512).contains(&mb), "{filled}");
    request["limit_mb"] = json!(100);
    assert_eq!(
        ask(&function, "fill", request)?,
        json!({ "mb": 100, "errno": 0 }),
        "deleted files free their space"
    );
    Ok(())
}

#[test]
fn tmp_is_its_own_and_new() -> Result<()> {
    let Some((server, function)) = inside()? else { return Ok(()) };
    let write = |function: &TestFunction| ask(function, "keep", json!({}));
    assert_eq!(write(&function)?, json!([]));
    // A caller that returns too soon gets another environment, which has another `/tmp`.
    until("the same environment finds what it kept", || {
        Ok((write(&function)? == json!(["kept"])).then_some(()))
    })?;
    let other = FunctionSpec::probe().create(&server.api)?;
    assert_eq!(write(&other)?, json!([]), "another function finds nothing");
    Ok(())
}
