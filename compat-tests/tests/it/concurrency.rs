//! Parallel invocations: environments, reuse, reserved concurrency, 429.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Result, ensure};
use lambd_compat_tests::function::InvokeResponse;
use lambd_compat_tests::wait::until;
use lambd_compat_tests::{FunctionSpec, TestFunction, TestServer, host};
use serde_json::{Value, json};

fn server() -> Result<Option<Arc<TestServer>>> {
    let Some(server) = TestServer::shared()? else { return Ok(None) };
    server.install("provided.al2023")?;
    Ok(Some(server))
}

/// A function whose processes can be distinguished from all others on the host.
fn marked(server: &TestServer) -> Result<(TestFunction, String)> {
    let mark = format!("mark-{}", uuid::Uuid::new_v4());
    let spec = FunctionSpec::bootstrap()?.variables(&json!({ "LAMBD_TEST_VAR": mark })).with("Timeout", 60);
    Ok((spec.create(&server.api)?, mark))
}

/// Makes `count` invocations, all of which are inside the function while `meanwhile` runs.
fn hold<T>(
    function: &TestFunction,
    mark: &str,
    count: usize,
    meanwhile: impl FnOnce() -> Result<T>,
) -> Result<(Vec<Value>, T)> {
    std::thread::scope(|scope| {
        let invoke = || function.invoke(&json!({ "do": "hold" }))?.ok();
        let held: Vec<_> = (0..count).map(|_| scope.spawn(invoke)).collect();
        let inside = until(&format!("{count} invocations are held"), || {
            let failed = held.iter().filter(|h| h.is_finished()).count();
            ensure!(failed == 0, "{failed} of {count} invocations ended before they were released");
            let inside = host::held(mark);
            Ok((inside.len() == count).then_some(inside))
        });
        let seen = inside.as_ref().map_err(|e| anyhow::anyhow!("{e:#}")).and_then(|_| meanwhile());
        host::release(&inside.unwrap_or_else(|_| host::held(mark)))?;
        let answers = held.into_iter().map(|h| h.join().map_err(|_| anyhow::anyhow!("a caller panicked"))?);
        Ok((answers.collect::<Result<_>>()?, seen?))
    })
}

fn throttled(invocation: &InvokeResponse) -> Result<()> {
    let answer = &invocation.answer;
    ensure!(
        (answer.status, answer.code()) == (429, "TooManyRequestsException"),
        "{} {}",
        answer.status,
        answer.text()
    );
    assert_eq!(answer.json()?["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded");
    Ok(())
}

#[test]
fn a_hundred_first_invocations_get_a_hundred_environments() -> Result<()> {
    let Some(server) = server()? else { return Ok(()) };
    let (function, mark) = marked(&server)?;
    let (answers, ()) = hold(&function, &mark, 100, || Ok(()))?;
    let environments: BTreeSet<_> = answers.iter().map(|a| a["env"].to_string()).collect();
    assert_eq!(environments.len(), 100);
    assert!(answers.iter().all(|a| a["calls"] == 1), "no environment had two events");
    Ok(())
}

#[test]
fn an_idle_environment_is_used_again() -> Result<()> {
    let Some(server) = server()? else { return Ok(()) };
    let (function, _) = marked(&server)?;
    // A caller that returns before the runtime has asked for its next event may get a second environment.
    until("one environment has handled twenty events", || {
        Ok((function.invoke(&json!({ "do": "id" }))?.ok()?["calls"] == 20).then_some(()))
    })
}

#[test]
fn reserved_concurrency_of_zero_refuses_all_invocations() -> Result<()> {
    let Some(server) = server()? else { return Ok(()) };
    let (function, _) = marked(&server)?;
    function.reserve(0)?;
    throttled(&function.invoke(&json!({}))?)?;
    let path = format!("/2017-10-31/functions/{}/concurrency", function.name);
    assert_eq!(server.api.call("DELETE", &path, None)?.status, 204);
    assert_eq!(function.invoke(&json!({ "a": 1 }))?.ok()?, json!({ "a": 1 }));
    Ok(())
}

#[test]
fn reserved_concurrency_of_two_admits_two_invocations() -> Result<()> {
    let Some(server) = server()? else { return Ok(()) };
    let (function, mark) = marked(&server)?;
    function.reserve(2)?;
    hold(&function, &mark, 2, || {
        for _ in 0..4 {
            throttled(&function.invoke(&json!({}))?)?;
        }
        Ok(())
    })?;
    assert_eq!(function.invoke(&json!({ "a": 1 }))?.ok()?, json!({ "a": 1 }), "the permits are free again");
    Ok(())
}

#[test]
fn new_code_gets_new_environments() -> Result<()> {
    let Some(server) = server()? else { return Ok(()) };
    let (function, _) = marked(&server)?;
    let before = function.invoke(&json!({ "do": "id" }))?.ok()?;
    let path = format!("{}/configuration", function.path());
    assert_eq!(server.api.call("PUT", &path, Some(&json!({ "MemorySize": 256 })))?.status, 200);
    function.wait("LastUpdateStatus", "Successful")?;
    let after = function.invoke(&json!({ "do": "id" }))?.ok()?;
    assert_ne!(before["env"], after["env"]);
    Ok(())
}
