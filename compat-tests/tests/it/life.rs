//! Kill, restart, drain: acknowledged changes stay, running processes end.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use lambd_compat_tests::host::{self, Footprint};
use lambd_compat_tests::wait::until;
use lambd_compat_tests::{FunctionSpec, TestFunction, TestServer};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

/// Timeout of connecting: if a listener accepts nothing and its queue is full, a connection hangs.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

fn server() -> Result<Option<TestServer>> {
    let Some(server) = TestServer::start()? else { return Ok(None) };
    server.install("provided.al2023")?;
    Ok(Some(server))
}

fn mark() -> String {
    format!("mark-{}", uuid::Uuid::new_v4())
}

/// The traces of a living server; the test needs some, so that their absence has a meaning.
fn seen(server: &TestServer, mark: &str) -> Result<Footprint> {
    let footprint = server.footprint(mark);
    let (processes, groups, networks) = footprint.counts();
    ensure!(
        processes > 1 && groups > 0 && networks > 0,
        "a living server without traces: {:?}",
        footprint.counts()
    );
    ensure!(
        !footprint.alive().is_empty() && !footprint.left().is_empty(),
        "the living server counts as gone"
    );
    Ok(footprint)
}

fn gone(left: impl Fn() -> Vec<String>) -> Result<()> {
    until("nothing is left on the host", || Ok(left().is_empty().then_some(())))
        .with_context(|| left().join("\n"))
}

/// Invokes a function by its name, because its `TestFunction` value has the address before the restart.
fn invoke(server: &TestServer, name: &str, event: &Value) -> Result<Value> {
    let path = format!("/2015-03-31/functions/{name}/invocations");
    let answer = server.api.call("POST", &path, Some(event))?;
    ensure!(
        answer.status == 200 && answer.header("x-amz-function-error").is_none(),
        "{} {}",
        answer.status,
        answer.text()
    );
    answer.json()
}

#[test]
fn after_kill_9_everything_acknowledged_is_there_and_nothing_else() -> Result<()> {
    let Some(mut server) = server()? else { return Ok(()) };
    let mark = mark();
    let make = |i: usize| {
        let spec =
            FunctionSpec::bootstrap()?.variables(&json!({ "LAMBD_TEST_VAR": mark, "NUMBER": i.to_string() }));
        spec.with("Description", format!("number {i}"))
            .with("Tags", json!({ "i": i.to_string() }))
            .create(&server.api)
    };
    let functions = (0..3).map(make).collect::<Result<Vec<_>>>()?;
    functions[1].reserve(7)?;
    for function in &functions {
        function.invoke(&json!({ "do": "id" }))?.ok()?;
    }
    let read = |server: &TestServer, function: &TestFunction| {
        let mut whole = server.api.call("GET", &function.path(), None)?.json()?;
        whole["Code"] = Value::Null; // its address has another port and signature after each start
        anyhow::Ok(whole)
    };
    let before = functions.iter().map(|f| read(&server, f)).collect::<Result<Vec<_>>>()?;
    let first = seen(&server, &mark)?;
    server.kill9()?;
    server.restart()?;
    for (function, before) in functions.iter().zip(&before) {
        assert_eq!(&read(&server, function)?, before);
        assert_eq!(invoke(&server, &function.name, &json!({ "do": "id" }))?["var"], mark.as_str());
    }
    gone(|| first.alive())?;
    let second = seen(&server, &mark)?;
    server.stop()?;
    gone(|| [first.left(), second.left()].concat())
}

#[test]
fn kill_9_during_creates_loses_nothing_acknowledged() -> Result<()> {
    let Some(mut server) = server()? else { return Ok(()) };
    let (tried, acked) = (Mutex::new(BTreeSet::new()), Mutex::new(BTreeSet::new()));
    let (spec, done) = (FunctionSpec::bootstrap()?, AtomicBool::new(false));
    let api = server.api.clone();
    let create = |worker: usize| -> Result<()> {
        for i in 0.. {
            let name = format!("w{worker}-{i}");
            tried.lock().map_err(|_| anyhow::anyhow!("poisoned"))?.insert(name.clone());
            match spec.clone().with("FunctionName", name.as_str()).send(&api) {
                Ok(answer) => ensure!(answer.status == 201, "{} {}", answer.status, answer.text()),
                Err(_) if done.load(Ordering::Acquire) => break,
                Err(e) => return Err(e),
            }
            acked.lock().map_err(|_| anyhow::anyhow!("poisoned"))?.insert(name);
        }
        Ok(())
    };
    std::thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..3).map(|w| scope.spawn(move || create(w))).collect();
        let enough = || Ok((acked.lock().map_or(0, |a| a.len()) >= 30).then_some(()));
        let reached = until("thirty functions are acknowledged", enough);
        done.store(true, Ordering::Release);
        server.kill9()?;
        for worker in workers {
            worker.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??;
        }
        reached
    })?;
    server.restart()?;
    let (tried, acked) = (tried.into_inner()?, acked.into_inner()?);
    let there = list(&server)?;
    let names: BTreeSet<_> =
        there.iter().filter_map(|f| Some(f["FunctionName"].as_str()?.to_owned())).collect();
    ensure!(acked.is_subset(&names), "lost: {:?}", acked.difference(&names));
    ensure!(names.is_subset(&tried), "never created: {:?}", names.difference(&tried));
    let hashes: BTreeSet<_> = there.iter().map(|f| f["CodeSha256"].to_string()).collect();
    assert_eq!(hashes.len(), 1, "a half-written function");
    for name in names.difference(&acked).chain(acked.first()).chain(acked.last()) {
        until(&format!("{name} is active"), || {
            let path = format!("/2015-03-31/functions/{name}/configuration");
            Ok((server.api.call("GET", &path, None)?.json()?["State"] == "Active").then_some(()))
        })?;
        assert_eq!(invoke(&server, name, &json!([1]))?, json!([1]));
    }
    Ok(())
}

fn list(server: &TestServer) -> Result<Vec<Value>> {
    let (mut all, mut marker) = (Vec::new(), String::new());
    loop {
        let page =
            server.api.call("GET", &format!("/2015-03-31/functions?MaxItems=20{marker}"), None)?.json()?;
        all.extend(page["Functions"].as_array().cloned().unwrap_or_default());
        let Some(next) = page["NextMarker"].as_str() else { return Ok(all) };
        let next = percent_encoding::utf8_percent_encode(next, lambd_compat_tests::sigv4::QUERY);
        marker = format!("&Marker={next}");
    }
}

#[test]
fn sigterm_lets_a_running_invocation_finish() -> Result<()> {
    let Some(mut server) = server()? else { return Ok(()) };
    let mark = mark();
    let spec = FunctionSpec::bootstrap()?.variables(&json!({ "LAMBD_TEST_VAR": mark })).with("Timeout", 120);
    let function = spec.create(&server.api)?;
    let footprint = std::thread::scope(|scope| -> Result<Footprint> {
        let running = scope.spawn(|| function.invoke(&json!({ "do": "hold" }))?.ok());
        let held = until("the invocation is held", || Ok(Some(host::held(&mark)).filter(|h| !h.is_empty())))?;
        server.terminate()?;
        until("new connections are refused", || {
            let newcomer = TcpStream::connect_timeout(&server.api.address, CONNECT_TIMEOUT);
            Ok(newcomer.is_err_and(|e| e.kind() == ErrorKind::ConnectionRefused).then_some(()))
        })?;
        ensure!(!running.is_finished(), "the running invocation was cut off");
        let footprint = seen(&server, &mark)?;
        host::release(&held)?;
        let answer = running.join().map_err(|_| anyhow::anyhow!("the caller panicked"))??;
        assert_eq!(answer["var"], mark.as_str());
        Ok(footprint)
    })?;
    server.stop()?;
    gone(|| footprint.left())
}

/// A caller that has disconnected does not shorten the time of its invocation.
#[test]
fn sigterm_lets_an_invocation_without_a_caller_finish() -> Result<()> {
    let Some(mut server) = server()? else { return Ok(()) };
    let mark = mark();
    let spec = FunctionSpec::bootstrap()?.variables(&json!({ "LAMBD_TEST_VAR": mark })).with("Timeout", 120);
    let function = spec.create(&server.api)?;
    let request = function.request(json!({ "do": "hold" }).to_string());
    let caller = server.api.begin(&request)?;
    let held = until("the invocation is held", || Ok(Some(host::held(&mark)).filter(|h| !h.is_empty())))?;
    drop(caller);
    server.terminate()?;
    until("the server drains", || Ok(server.log()?.contains("draining").then_some(())))?;
    // Longer than the time that invocations have in any case after the last connection has closed.
    std::thread::sleep(Duration::from_millis(1500));
    host::release(&held)?;
    server.stop()?; // a warning about a cut-off invocation makes it fail
    server.restart()?;
    let log = server.logs_with(&function.name, "REPORT RequestId")?;
    ensure!(log.contains("END RequestId"), "{log}");
    Ok(())
}

#[test]
fn a_second_signal_ends_the_drain() -> Result<()> {
    let Some(mut server) = server()? else { return Ok(()) };
    server.allow("ending at a second signal");
    let mark = mark();
    let spec = FunctionSpec::bootstrap()?.variables(&json!({ "LAMBD_TEST_VAR": mark })).with("Timeout", 120);
    let function = spec.create(&server.api)?;
    std::thread::scope(|scope| -> Result<()> {
        let running = scope.spawn(|| function.invoke(&json!({ "do": "hold" })));
        until("the invocation is held", || Ok(Some(host::held(&mark)).filter(|h| !h.is_empty())))?;
        server.terminate()?;
        until("the server drains", || Ok(server.log()?.contains("draining").then_some(())))?;
        server.terminate()?;
        server.stop()?; // the invocation is never released
        ensure!(running.join().map_err(|_| anyhow::anyhow!("the caller panicked"))?.is_err(), "an answer");
        Ok(())
    })?;
    gone(|| host::marked(&mark).into_iter().map(|pid| format!("process {pid}")).collect())
}

/// The environment ends by a timeout, or because its process is killed.
#[test]
fn an_ended_environment_leaves_nothing_while_the_server_lives() -> Result<()> {
    let Some(server) = server()? else { return Ok(()) };
    for (timeout_s, killed) in [(2, false), (60, true)] {
        let mark = mark();
        let spec = FunctionSpec::bootstrap()?
            .variables(&json!({ "LAMBD_TEST_VAR": mark }))
            .with("Timeout", timeout_s);
        let function = spec.create(&server.api)?;
        std::thread::scope(|scope| -> Result<()> {
            let running = scope.spawn(|| function.invoke(&json!({ "do": "hold" }))?.failure());
            let held = until("the invocation is held", || Ok(host::held(&mark).first().copied()))?;
            let footprint = Footprint::of(held, &server.data_dir(), &mark);
            ensure!(
                footprint.counts().1 > 0 && !footprint.alive().is_empty(),
                "the environment was not seen"
            );
            if killed {
                kill(Pid::from_raw(held), Signal::SIGKILL)?;
            }
            let (kind, _) = running.join().map_err(|_| anyhow::anyhow!("the caller panicked"))??;
            assert_eq!(kind, if killed { "Runtime.ExitError" } else { "Sandbox.Timedout" });
            gone(|| footprint.alive())
        })?;
    }
    Ok(())
}
