//! Invocations: limits, every kind of end, the log tail, the context.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambd_compat_tests::api::ApiRequest;
use lambd_compat_tests::function::InvokeResponse;
use lambd_compat_tests::{FunctionSpec, TestFunction, TestServer};
use serde_json::{Value, json};

/// Documented limits of a synchronous invocation's payloads.
const REQUEST_MAX_BYTES: usize = 6_291_456;
const RESPONSE_MAX_BYTES: usize = 6_291_556;

fn function(
    spec: impl FnOnce(FunctionSpec) -> FunctionSpec,
) -> Result<Option<(Arc<TestServer>, TestFunction)>> {
    let Some(server) = TestServer::shared()? else { return Ok(None) };
    server.install("provided.al2023")?;
    let function = spec(FunctionSpec::bootstrap()?).create(&server.api)?;
    Ok(Some((server, function)))
}

/// The fields of a REPORT line by name; checks that the line has AWS's form.
fn report(tail: &str, id: &str) -> Result<Vec<(String, String)>> {
    let line = tail.lines().find_map(|l| l.strip_prefix("REPORT RequestId: ")).context("no REPORT line")?;
    let mut fields = line.split('\t').filter(|f| !f.is_empty());
    ensure!(fields.next() == Some(id), "the REPORT is of another request: {line}");
    let fields: Option<Vec<_>> =
        fields.map(|f| f.split_once(": ").map(|(k, v)| (k.to_owned(), v.to_owned()))).collect();
    let fields = fields.with_context(|| format!("a field without a name: {line}"))?;
    let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
    ensure!(
        names.starts_with(&["Duration", "Billed Duration", "Memory Size", "Max Memory Used"]),
        "{names:?}"
    );
    for (name, value) in &fields {
        let number = value.split(' ').next().unwrap_or_default();
        let decimals = number.split_once('.').map_or(0, |(_, d)| d.len());
        let want = match name.as_str() {
            "Duration" | "Init Duration" => (" ms", 2),
            "Billed Duration" => (" ms", 0),
            "Memory Size" | "Max Memory Used" => (" MB", 0),
            _ => continue,
        };
        ensure!(
            value.ends_with(want.0) && decimals == want.1 && number.parse::<f64>().is_ok(),
            "{name}: {value}"
        );
    }
    Ok(fields)
}

fn field<'f>(report: &'f [(String, String)], name: &str) -> Option<&'f str> {
    report.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

/// Checks that the next invocation runs in another environment than the one that ended.
fn another_follows(function: &TestFunction, ended: &InvokeResponse) -> Result<()> {
    let (tail, next) = (ended.tail()?, function.invoke(&json!({ "do": "id" }))?.ok()?);
    let ended = tail.lines().find_map(|l| l.strip_prefix("environment ")).with_context(|| tail.clone())?;
    ensure!(next["env"] != ended, "environment {ended} is still alive");
    Ok(())
}

fn exit_error(id: &str, text: &str) -> (String, String) {
    ("Runtime.ExitError".to_owned(), format!("RequestId: {id} Error: {text}"))
}

#[test]
fn payloads_have_limits_both_ways() -> Result<()> {
    let Some((_server, function)) = function(|s| s.with("MemorySize", 512).with("Timeout", 30))? else {
        return Ok(());
    };
    let frame = r#"{"do":"length","pad":""}"#.len();
    let event = |size: usize| format!(r#"{{"do":"length","pad":"{}"}}"#, "a".repeat(size - frame));
    assert_eq!(function.send(&function.request(event(REQUEST_MAX_BYTES)))?.ok()?, json!(REQUEST_MAX_BYTES));
    let over = function.send(&function.request(event(REQUEST_MAX_BYTES + 1)))?.answer;
    assert_eq!((over.status, over.code()), (413, "RequestTooLargeException"), "{}", over.text());

    let most = function.invoke(&json!({ "do": "big", "size": RESPONSE_MAX_BYTES }))?;
    ensure!(most.ok()?.as_str().is_some_and(|s| s.len() == RESPONSE_MAX_BYTES - 2), "not all came back");
    let (kind, text) = function.invoke(&json!({ "do": "big", "size": RESPONSE_MAX_BYTES + 1 }))?.failure()?;
    assert_eq!(kind, "Function.ResponseSizeTooLarge");
    assert!(text.ends_with("exceeded maximum allowed payload size (6291556 bytes)."), "{text}");
    assert_eq!(function.invoke(&json!([1]))?.ok()?, json!([1]));
    Ok(())
}

#[test]
fn an_empty_body_is_the_empty_event() -> Result<()> {
    let Some((_server, function)) = function(|s| s)? else { return Ok(()) };
    assert_eq!(function.send(&function.request(""))?.ok()?, json!({}));
    let bytes = r#" {"order":{"z":1,"a":2.50}} "#;
    assert_eq!(
        function.send(&function.request(bytes))?.answer.body,
        bytes.as_bytes(),
        "bytes pass untouched"
    );
    for event in [b"{'a': 1}".as_slice(), b"\"latin-1: \xe9\"", b"\"\x87\""] {
        let bad = function.send(&function.request(event))?.answer;
        assert_eq!((bad.status, bad.code()), (400, "InvalidRequestContentException"));
        assert!(
            bad.message()
                .starts_with("Could not parse request body into json: Could not parse payload into json: ")
        );
    }
    Ok(())
}

#[test]
fn a_dry_run_runs_nothing() -> Result<()> {
    let Some((server, function)) = function(|s| s)? else { return Ok(()) };
    let dry = function.send(&function.request("{}").header("x-amz-invocation-type", "DryRun"))?.answer;
    assert_eq!((dry.status, dry.body.len()), (204, 0));
    let first = function.invoke(&json!({ "do": "id" }))?.ok()?;
    assert_eq!(first["calls"], 1, "the dry run reached the function");
    let absent = ApiRequest::new("POST", "/2015-03-31/functions/absent/invocations")
        .header("x-amz-invocation-type", "DryRun");
    assert_eq!(server.api.send(&absent)?.status, 404);
    Ok(())
}

#[test]
fn each_end_of_the_process_has_its_message() -> Result<()> {
    let Some((_server, function)) = function(|s| s.with("Timeout", 10))? else { return Ok(()) };
    let cases = [
        (json!({ "do": "exit", "code": 0 }), "Runtime exited without providing a reason"),
        (json!({ "do": "exit", "code": 1 }), "Runtime exited with error: exit status 1"),
        (json!({ "do": "exit", "code": 127 }), "Runtime exited with error: exit status 127"),
        (json!({ "do": "raise", "signal": 9 }), "Runtime exited with error: signal: killed"),
        (json!({ "do": "raise", "signal": 11 }), "Runtime exited with error: signal: segmentation fault"),
    ];
    for (event, text) in cases {
        let ended = function.invoke_with_tail(&event)?;
        assert_eq!(ended.failure()?, exit_error(ended.id()?, text), "{event}");
        another_follows(&function, &ended)?;
    }
    Ok(())
}

#[test]
fn a_timeout_ends_exactly_that_environment() -> Result<()> {
    let Some((_server, function)) = function(|s| s.with("Timeout", 1))? else { return Ok(()) };
    function.invoke(&json!({ "do": "id" }))?.ok()?;
    let late = function.invoke_with_tail(&json!({ "do": "hold" }))?;
    let text = format!("RequestId: {} Error: Task timed out after 1.00 seconds", late.id()?);
    assert_eq!(late.failure()?, ("Sandbox.Timedout".to_owned(), text));
    let report = report(&late.tail()?, late.id()?)?;
    assert_eq!(field(&report, "Status"), Some("timeout"));
    another_follows(&function, &late)?;
    Ok(())
}

#[test]
fn a_function_is_killed_beyond_its_configured_memory() -> Result<()> {
    let Some((_server, function)) = function(|s| s.with("MemorySize", 128).with("Timeout", 20))? else {
        return Ok(());
    };
    let fits = function.invoke_with_tail(&json!({ "do": "alloc", "mb": 60 }))?;
    fits.ok()?;
    let used = report(&fits.tail()?, fits.id()?)?;
    let used: u32 =
        field(&used, "Max Memory Used").and_then(|v| v.strip_suffix(" MB")).context("no use")?.parse()?;
    assert!((60..=128).contains(&used), "{used}");
    let over = function.invoke_with_tail(&json!({ "do": "alloc", "mb": 300 }))?;
    assert_eq!(over.failure()?, exit_error(over.id()?, "Runtime exited with error: signal: killed"));
    let report = report(&over.tail()?, over.id()?)?;
    assert_eq!(field(&report, "Max Memory Used"), Some("128 MB"));
    assert_eq!(function.invoke(&json!([1]))?.ok()?, json!([1]));
    Ok(())
}

#[test]
fn the_log_tail_has_the_last_4_kb_in_order() -> Result<()> {
    let Some((_server, function)) = function(|s| s)? else { return Ok(()) };
    let said = function.invoke_with_tail(&json!({ "do": "say", "lines": 3 }))?;
    let (tail, id) = (said.tail()?, said.id()?);
    let order = [
        format!("START RequestId: {id} Version: $LATEST\n"),
        "line 000000 ".to_owned(),
        "line 000002 ".to_owned(),
        format!("END RequestId: {id}\n"),
        format!("REPORT RequestId: {id}\tDuration: "),
    ];
    let at: Option<Vec<_>> = order.iter().map(|text| tail.find(text.as_str())).collect();
    assert!(at.with_context(|| tail.clone())?.is_sorted(), "{tail}");
    assert!(
        field(&report(&tail, id)?, "Init Duration").is_some(),
        "the first invocation must report its init"
    );
    let again = function.invoke_with_tail(&json!({ "do": "say", "lines": 1000 }))?;
    let (tail, id) = (again.tail()?, again.id()?);
    assert!((3000..=4096).contains(&tail.len()), "{} bytes", tail.len());
    assert!(tail.contains("line 000999 ") && !tail.contains("line 000000 "), "the last 4 KB");
    assert_eq!(field(&report(&tail, id)?, "Init Duration"), None);
    assert!(function.invoke(&json!({}))?.answer.header("x-amz-log-result").is_none());
    Ok(())
}

#[test]
fn the_runtime_gets_context_arn_and_deadline() -> Result<()> {
    let Some((_server, function)) = function(|s| s.with("Timeout", 9))? else { return Ok(()) };
    let arn = function.configuration()?["FunctionArn"].as_str().unwrap_or_default().to_owned();
    let heard = |request: &ApiRequest| -> Result<String> {
        let head = function.send(request)?.ok()?;
        Ok(head.as_str().unwrap_or_default().to_owned())
    };
    let head_of = |head: &str, name: &str| {
        let line = head.lines().find(|l| l.to_ascii_lowercase().starts_with(&format!("{name}: ")));
        line.map(|l| l[name.len() + 2..].to_owned())
    };
    let event = r#"{"do":"head"}"#;
    let context = STANDARD.encode(r#"{"custom":{"a":"1"}}"#);
    let head = heard(&function.request(event).header("x-amz-client-context", &context))?;
    assert_eq!(head_of(&head, "lambda-runtime-client-context").as_deref(), Some(r#"{"custom":{"a":"1"}}"#));
    assert_eq!(head_of(&head, "lambda-runtime-invoked-function-arn").as_deref(), Some(arn.as_str()));
    let deadline: u128 = head_of(&head, "lambda-runtime-deadline-ms").context("no deadline")?.parse()?;
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed()?.as_millis();
    assert!(deadline <= now + 9000, "{deadline} is later than now plus the timeout");
    let qualified =
        ApiRequest::new("POST", &format!("{}/invocations?Qualifier=%24LATEST", function.path())).body(event);
    let qualified = head_of(&heard(&qualified)?, "lambda-runtime-invoked-function-arn");
    assert_eq!(qualified, Some(format!("{arn}:$LATEST")));
    let path = format!("/2015-03-31/functions/{}/invocations", arn.replace(':', "%3A"));
    assert!(!heard(&ApiRequest::new("POST", &path).body(event))?.is_empty(), "an encoded ARN in the path");
    Ok(())
}

#[test]
fn an_answer_to_another_request_is_refused() -> Result<()> {
    let Some((_server, function)) = function(|s| s)? else { return Ok(()) };
    assert_eq!(function.invoke(&json!({ "do": "forge" }))?.ok()?, json!({ "status": 400 }));
    Ok(())
}

#[test]
fn only_the_standard_descriptors_are_open() -> Result<()> {
    let Some((_server, function)) = function(|s| s)? else { return Ok(()) };
    let mut open: Vec<Value> =
        function.invoke(&json!({ "do": "id" }))?.ok()?["fds"].as_array().cloned().unwrap_or_default();
    open.sort_by_key(Value::as_i64);
    assert_eq!(open, [0, 1, 2]);
    Ok(())
}
