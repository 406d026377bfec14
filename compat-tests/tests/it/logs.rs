//! Function logs, read with `lambd logs`.

use anyhow::{Context as _, Result, ensure};
use lambd_compat_tests::{FunctionSpec, TestServer, host, server, tools};
use serde_json::{Value, json};

/// How much the server may grow while a function floods its log.
const FLOOD_GROWTH_MAX_BYTES: u64 = 64 << 20;

#[test]
fn the_log_holds_each_invocation_in_order() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let (function, other) =
        (FunctionSpec::bootstrap()?.create(&server.api)?, FunctionSpec::bootstrap()?.create(&server.api)?);
    let mut order = Vec::new();
    for _ in 0..3 {
        let said = function.invoke(&json!({ "do": "say", "lines": 2 }))?;
        let id = said.id()?;
        order.push(format!("START RequestId: {id} Version: $LATEST"));
        order.extend(["line 000000".to_owned(), "line 000001".to_owned()]);
        order.extend([format!("END RequestId: {id}"), format!("REPORT RequestId: {id}")]);
    }
    let foreign = other.invoke(&json!({}))?;
    let text = server.logs_with(&function.name, order.last().context("nothing ran")?)?;
    let mut rest = text.as_str();
    for expected in &order {
        let at = rest
            .find(expected.as_str())
            .with_context(|| format!("{expected} is missing or late in\n{text}"))?;
        rest = &rest[at + expected.len()..];
    }
    ensure!(!text.contains(foreign.id()?), "a line of another function is in the log");
    Ok(())
}

#[test]
fn a_log_outlives_the_server() -> Result<()> {
    let Some(mut server) = TestServer::start()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let function = FunctionSpec::bootstrap()?.create(&server.api)?;
    let said = function.invoke(&json!({ "do": "say", "lines": 1 }))?;
    let report = format!("REPORT RequestId: {}", said.id()?);
    server.stop()?;
    server.restart()?;
    let text = server.logs_with(&function.name, &report)?;
    assert!(text.contains("line 000000"), "{text}");
    Ok(())
}

#[test]
fn the_log_of_an_unknown_function_is_refused() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let mut logs = tools::command(server::binary()?);
    logs.args(["logs", "--data-dir"]).arg(server.data_dir()).arg("absent");
    let output = tools::point_at(&mut logs, &server).output()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    Ok(())
}

#[test]
fn a_flood_of_output_is_no_memory_of_the_server() -> Result<()> {
    let Some(server) = TestServer::start()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let loud = FunctionSpec::bootstrap()?.with("Timeout", 120).with("MemorySize", 512).create(&server.api)?;
    let quiet = FunctionSpec::bootstrap()?.create(&server.api)?;
    loud.invoke(&json!({}))?.ok()?;
    quiet.invoke(&json!({}))?.ok()?;
    let before = host::resident_bytes(server.pid());
    let (peak, said) = std::thread::scope(|scope| -> Result<_> {
        let flood = scope.spawn(|| loud.invoke(&json!({ "do": "flood", "mb": 50 }))?.ok());
        let (mut peak, mut said) = (0, Vec::new());
        while !flood.is_finished() || said.is_empty() {
            peak = peak.max(host::resident_bytes(server.pid()));
            said.push(quiet.invoke(&json!({ "do": "say", "lines": 1 }))?.id()?.to_owned());
        }
        flood.join().map_err(|_| anyhow::anyhow!("the caller panicked"))??;
        Ok((peak.max(host::resident_bytes(server.pid())), said))
    })?;
    ensure!(peak < before + FLOOD_GROWTH_MAX_BYTES, "grew by {} MiB", (peak - before) >> 20);
    let text = server.logs_with(&quiet.name, said.last().context("nothing was said")?)?;
    for id in &said {
        ensure!(text.contains(&format!("REPORT RequestId: {id}")), "the quiet function lost a line");
    }
    Ok(())
}

/// If the function asks for JSON, the platform's lines are records of the Telemetry schema.
#[test]
fn platform_lines_are_json_if_the_function_asks_for_it() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let function = FunctionSpec::bootstrap()?
        .with("LoggingConfig", json!({ "LogFormat": "JSON" }))
        .create(&server.api)?;
    let answer = function.invoke_with_tail(&json!([1]))?;
    let tail = answer.tail()?;
    let records: Vec<Value> = tail.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let kinds: Vec<_> = records.iter().filter_map(|record| record["type"].as_str()).collect();
    assert_eq!(kinds, ["platform.start", "platform.report"], "{tail}");
    assert_eq!(records[1]["record"]["requestId"], answer.id()?);
    assert_eq!(records[1]["record"]["status"], "success");
    Ok(())
}
