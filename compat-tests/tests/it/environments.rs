//! The costs and traces of an execution environment: its start, its CPU, its last output, its memory.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use lambd_compat_tests::wait::until;
use lambd_compat_tests::{FunctionSpec, TestFunction, TestServer, host, package, programs};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

fn server(arguments: &[&str]) -> Result<Option<TestServer>> {
    let Some(server) = TestServer::start_with(arguments)? else { return Ok(None) };
    server.install("provided.al2023")?;
    Ok(Some(server))
}

fn program(server: &TestServer, source: &str, life: &str) -> Result<TestFunction> {
    let bootstrap = programs::compile(source)?;
    let package = package::zip(&[package::ZipEntry::executable("bootstrap", &bootstrap)]);
    let spec = FunctionSpec::new("provided.al2023", "any", &package).variables(&json!({ "LIFE": life }));
    spec.with("Timeout", 30).create(&server.api)
}

const LAST_WORDS: &str = include_str!("../../fn/last_words.c");

/// The number after `name` in a REPORT line.
fn figure(log: &str, name: &str) -> Result<f64> {
    let rest = log.split(name).nth(1).with_context(|| format!("no {name} in {log}"))?;
    Ok(rest.split_whitespace().next().unwrap_or_default().parse()?)
}

/// The launcher is stopped for some time, the function is not.
#[test]
fn init_duration_leaves_out_the_time_inside_lambd() -> Result<()> {
    const STOPPED_MS: u64 = 2000;
    let Some(server) = server(&[])? else { return Ok(()) };
    let function = FunctionSpec::bootstrap()?.create(&server.api)?;
    let launcher = Pid::from_raw(server.launcher()?);
    kill(launcher, Signal::SIGSTOP)?;
    let tail = std::thread::scope(|scope| {
        let invoked = scope.spawn(|| function.invoke_with_tail(&json!({}))?.tail());
        std::thread::sleep(Duration::from_millis(STOPPED_MS));
        kill(launcher, Signal::SIGCONT)?;
        invoked.join().map_err(|_| anyhow::anyhow!("the caller panicked"))?
    })?;
    for name in ["Init Duration: ", "Billed Duration: "] {
        let ms = figure(&tail, name)?;
        assert!(ms < 1000.0, "{name}{ms} ms of {STOPPED_MS} ms in which the launcher stood still: {tail}");
    }
    Ok(())
}

/// Two processes use all CPU they get before the first poll. The first init may use one CPU, the second only
/// the function's share: 72 permille with 128 MB.
#[test]
fn the_first_init_has_one_cpu_and_the_second_the_functions_share() -> Result<()> {
    let Some(server) = server(&[])? else { return Ok(()) };
    let function = program(&server, include_str!("../../fn/init_cpu.c"), "")?;
    let (kind, _) = function.invoke(&json!({}))?.failure()?;
    assert_eq!(kind, "Runtime.ExitError");
    let log = server.logs_with(&function.name, "REPORT")?;
    let got: Vec<u32> = log
        .split("cpu permille ")
        .skip(1)
        .map(|rest| Ok(rest.split_whitespace().next().unwrap_or_default().parse()?))
        .collect::<Result<_>>()?;
    let [first, second] = got[..] else { anyhow::bail!("not two inits: {log}") };
    // A quota may be exceeded by one period of 20 ms in 400 ms or more.
    assert!(first <= 1150, "{first} permille in the first init");
    assert!(second <= 150, "{second} permille in the second init");
    Ok(())
}

/// The death is noticed by the next invocation, or the environment is retired by an update.
#[test]
fn the_last_output_of_an_idle_environment_reaches_the_log() -> Result<()> {
    // Long enough for it to die, too short to be frozen.
    const REST: Duration = Duration::from_millis(30);
    let Some(server) = server(&[])? else { return Ok(()) };
    let function = program(&server, LAST_WORDS, "idle")?;
    for n in 1..=2 {
        let answer = function.invoke(&json!({}))?.answer;
        assert_eq!((answer.status, answer.text().as_str()), (200, "done"), "invocation {n}");
        std::thread::sleep(REST);
    }
    server.logs_with(&function.name, "last words of")?;
    let changed = json!({ "Description": "other" });
    let answer = server.api.call("PUT", &format!("{}/configuration", function.path()), Some(&changed))?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
    until("the last output of both is in the log", || {
        Ok((server.logs(&function.name)?.matches("last words of").count() == 2).then_some(()))
    })
}

/// A runtime that ends directly after its first poll is a failure of the function and not of the server, and
/// is not started again and again.
#[test]
fn a_runtime_that_dies_at_its_first_poll_is_answered_at_once() -> Result<()> {
    let Some(server) = server(&[])? else { return Ok(()) };
    let function = program(&server, LAST_WORDS, "none")?;
    for _ in 0..5 {
        let (kind, text) = function.invoke(&json!({}))?.failure()?;
        assert_eq!(kind, "Runtime.ExitError", "{text}");
        assert!(text.ends_with("Error: Runtime exited with error: exit status 3"), "{text}");
    }
    let log = server.logs_with(&function.name, "REPORT")?;
    let [starts, reports] = ["START RequestId", "REPORT RequestId"].map(|line| log.matches(line).count());
    assert_eq!((starts, reports), (5, 5), "{log}");
    Ok(())
}

#[test]
fn the_log_says_once_that_the_hosts_memory_is_used_up() -> Result<()> {
    let Some(mut server) = server(&["--host-memory-mib", "200"])? else { return Ok(()) };
    server.allow("refused to start an execution environment");
    let mark = format!("mark-{}", uuid::Uuid::new_v4());
    let spec = FunctionSpec::bootstrap()?.variables(&json!({ "LAMBD_TEST_VAR": mark })).with("Timeout", 60);
    let function = spec.create(&server.api)?;
    std::thread::scope(|scope| -> Result<()> {
        let held = scope.spawn(|| function.invoke(&json!({ "do": "hold" }))?.ok());
        let inside = until("it is held", || Ok(Some(host::held(&mark)).filter(|held| !held.is_empty())))?;
        for _ in 0..5 {
            let answer = function.invoke(&json!({}))?.answer;
            ensure!(answer.status == 429, "{} {}", answer.status, answer.text());
            assert_eq!(answer.json()?["Reason"], "ConcurrentInvocationLimitExceeded");
        }
        host::release(&inside)?;
        held.join().map_err(|_| anyhow::anyhow!("a caller panicked"))??;
        Ok(())
    })?;
    server.stop()?;
    let log = server.log()?;
    let told: Vec<_> = log.lines().filter(|line| line.contains("refused to start")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    ensure!(told[0].contains("host_memory_mib") && told[0].contains("200"), "{}", told[0]);
    Ok(())
}
