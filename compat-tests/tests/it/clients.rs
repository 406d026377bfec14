//! The official runtime clients, in Python and Node.

use anyhow::{Result, ensure};
use lambd_compat_tests::{FunctionSpec, TestFunction, TestServer, package, tools};
use serde_json::{Value, json};

const CALLBACK: &str = "exports.handler = (event, context, callback) => setTimeout(() => \
                        callback(null, { event, id: context.awsRequestId, name: context.functionName }), 1);";
const ASYNC: &str = "exports.handler = async (event, context) => {
  if (event.fail) throw new TypeError(event.fail);
  if (event.callback) context.callbackWaitsForEmptyEventLoop = false;
  console.log('said', event);
  return { event, id: context.awsRequestId, name: context.functionName };
};";
const MODULE: &str = "const ready = await Promise.resolve('at top level');
export const handler = async (event, context) => ({ event, ready, id: context.awsRequestId, name: context.functionName });";

/// Invokes a function that returns the event, the request id and the function's name.
fn comes_back(function: &TestFunction, extra: &[(&str, &str)]) -> Result<()> {
    let event = json!({ "k": [1, "ü ☃", null] });
    let invocation = function.invoke(&event)?;
    let mut want = json!({ "event": event, "id": invocation.id()?, "name": function.name });
    for (key, value) in extra {
        want[key] = json!(value);
    }
    ensure!(invocation.ok()? == want, "{} is not {want}", invocation.ok()?);
    Ok(())
}

fn node(runtime: &str) -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let installed = server.install(runtime).map_err(|e| tools::say(&format!("{runtime}: {e:#}"))).ok();
    if tools::need(runtime, installed)?.is_none() {
        return Ok(());
    }
    let make = |file: &str, source: &str| {
        let spec = FunctionSpec::new(runtime, "index.handler", &package::files(&[(file, source)]));
        spec.with("Timeout", 20).with("MemorySize", 256).create(&server.api)
    };
    comes_back(&make("index.js", CALLBACK)?, &[])?;
    comes_back(&make("index.mjs", MODULE)?, &[("ready", "at top level")])?;
    let function = make("index.js", ASYNC)?;
    comes_back(&function, &[])?;
    let failed = function.invoke(&json!({ "fail": "on purpose" }))?;
    assert_eq!(failed.failure()?, ("TypeError".to_owned(), "on purpose".to_owned()));
    assert!(
        failed.answer.json()?["trace"].as_array().is_some_and(|t| !t.is_empty()),
        "{}",
        failed.answer.text()
    );
    let tail = function.invoke_with_tail(&json!({ "k": 1 }))?.tail()?;
    assert!(tail.contains("INFO\tsaid { k: 1 }"), "{tail}");
    let broken = make("index.js", "throw new RangeError('at the start');")?;
    assert_eq!(broken.invoke(&json!({}))?.failure()?, ("RangeError".to_owned(), "at the start".to_owned()));
    Ok(())
}

#[test]
fn node_20_runs_handlers_and_reports_errors() -> Result<()> {
    node("nodejs20.x")
}

#[test]
fn node_22_runs_handlers_and_reports_errors() -> Result<()> {
    node("nodejs22.x")
}

fn python() -> Result<Option<std::sync::Arc<TestServer>>> {
    let Some(server) = TestServer::shared()? else { return Ok(None) };
    server.install("python3.11")?;
    Ok(Some(server))
}

#[test]
fn python_handlers_have_the_context_of_aws() -> Result<()> {
    let Some(server) = python()? else { return Ok(()) };
    let function = FunctionSpec::probe().with("MemorySize", 192).with("Timeout", 7).create(&server.api)?;
    let invocation = function.invoke(&json!({ "do": "context" }))?;
    let got = invocation.ok()?;
    let arn = function.configuration()?["FunctionArn"].clone();
    let known = json!({ "name": function.name, "version": "$LATEST", "arn": arn, "memory": 192, "custom": null,
                        "id": invocation.id()?, "group": format!("/aws/lambda/{}", function.name) });
    for (key, value) in known.as_object().into_iter().flatten() {
        assert_eq!(&got[key], value, "{key}");
    }
    assert!(got["remaining"].as_i64().is_some_and(|ms| 0 < ms && ms <= 7000), "{got}");
    let stream = got["stream"].as_str().unwrap_or_default();
    let (day, id) = stream.split_once("/[$LATEST]").unwrap_or_default();
    assert!(day.len() == 10 && id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{stream}");
    Ok(())
}

#[test]
fn python_functions_have_the_variables_of_aws() -> Result<()> {
    let Some(server) = python()? else { return Ok(()) };
    let function =
        FunctionSpec::probe().variables(&json!({ "MINE": "a=b ☃", "NONE": "" })).create(&server.api)?;
    let got = function.invoke(&json!({ "do": "environ" }))?.ok()?;
    let known = json!({
        "MINE": "a=b ☃", "NONE": "", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": function.name, "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "AWS_LAMBDA_LOG_GROUP_NAME": format!("/aws/lambda/{}", function.name), "_HANDLER": "probe.handler", "TZ": ":UTC",
    });
    for (key, value) in known.as_object().into_iter().flatten() {
        assert_eq!(&got[key], value, "{key}");
    }
    let values = || got.as_object().into_iter().flatten().filter_map(|(_, v)| v.as_str());
    assert!(
        values().all(|v| !v.contains(&server.api.signer.secret)),
        "the server's secret is in the environment"
    );
    Ok(())
}

#[test]
fn python_failures_reach_the_caller() -> Result<()> {
    let Some(server) = python()? else { return Ok(()) };
    let function = FunctionSpec::probe().create(&server.api)?;
    let raised = function.invoke(&json!({ "do": "raise", "text": "on purpose ☃" }))?;
    assert_eq!(raised.failure()?, ("ValueError".to_owned(), "on purpose ☃".to_owned()));
    let trace = raised.answer.json()?["stackTrace"].to_string();
    assert!(trace.contains("/var/task/probe.py"), "{trace}");
    let exited = function.invoke(&json!({ "do": "exit", "code": 4 }))?;
    let text = format!("RequestId: {} Error: Runtime exited with error: exit status 4", exited.id()?);
    assert_eq!(exited.failure()?, ("Runtime.ExitError".to_owned(), text));
    for value in [json!([]), json!("☃"), json!(-1.5), Value::Null, json!(true)] {
        assert_eq!(function.invoke(&value)?.ok()?, value);
    }
    Ok(())
}

#[test]
fn python_init_errors_reach_the_caller() -> Result<()> {
    let Some(server) = python()? else { return Ok(()) };
    let cases = [
        ("absent.handler", "", "Runtime.ImportModuleError"),
        ("app.absent", "", "Runtime.HandlerNotFound"),
        ("app.handler", "def handler(:\n", "Runtime.UserCodeSyntaxError"),
        ("app.handler", "raise KeyError('x')\n", "KeyError"),
    ];
    for (handler, source, kind) in cases {
        let function = FunctionSpec::new("python3.11", handler, &package::files(&[("app.py", source)]))
            .create(&server.api)?;
        for attempt in 1..=2 {
            assert_eq!(function.invoke(&json!({}))?.failure()?.0, kind, "{handler}, attempt {attempt}");
        }
    }
    Ok(())
}
