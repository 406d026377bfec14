//! What is attached to functions, versions and aliases, with boto3. The scripts make the assertions.

use anyhow::{Result, ensure};
use lambd_compat_tests::wait::until;
use lambd_compat_tests::{FunctionSpec, TestServer, python};
use serde_json::{Value, json};

fn run(script: &str) -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    python::run(&server, script, &[], &[])
}

#[test]
fn boto3_reads_what_it_attaches() -> Result<()> {
    run(include_str!("attached.py"))
}

#[test]
fn boto3_sees_provisioned_concurrency_become_ready() -> Result<()> {
    run(include_str!("provisioned.py"))
}

#[test]
fn provisioned_environments_are_started_again_with_the_server() -> Result<()> {
    let Some(mut server) = TestServer::start()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let function = FunctionSpec::bootstrap()?.create(&server.api)?;
    let name = function.name.clone();
    let call = |server: &TestServer, method: &str, path: &str, body: Option<&Value>| -> Result<Value> {
        let answer = server.api.call(method, path, body)?;
        ensure!((200..300).contains(&answer.status), "{} {}", answer.status, answer.text());
        answer.json()
    };
    call(&server, "POST", &format!("/2015-03-31/functions/{name}/versions"), Some(&json!({})))?;
    let path = format!("/2019-09-30/functions/{name}/provisioned-concurrency?Qualifier=1");
    call(&server, "PUT", &path, Some(&json!({ "ProvisionedConcurrentExecutions": 2 })))?;
    let ready = |server: &TestServer| {
        until("two environments are ready", || {
            let status = call(server, "GET", &path, None)?;
            ensure!(status["Status"] != "FAILED", "{status}");
            let allocated = &status["AllocatedProvisionedConcurrentExecutions"];
            ensure!(status["Status"] != "READY" || *allocated == 2, "{status}");
            Ok((status["Status"] == "READY").then_some(()))
        })
    };
    ready(&server)?;
    server.kill9()?;
    server.restart()?;
    ready(&server)?;
    let invoke = format!("/2015-03-31/functions/{name}/invocations?Qualifier=1");
    let answer = server.api.call("POST", &invoke, Some(&json!({})))?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
    server.stop()
}
