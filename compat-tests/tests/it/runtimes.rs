//! Managed runtimes as functions see them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use lambd_compat_tests::package::{self, ZipEntry};
use lambd_compat_tests::{FunctionSpec, TestFunction, TestServer, tools};
use serde_json::{Value, json};

/// The shared server with this runtime. `None` if the runtime cannot be built here, which is a failure in CI.
fn server(runtime: &str) -> Result<Option<Arc<TestServer>>> {
    let Some(server) = TestServer::shared()? else { return Ok(None) };
    let installed = server.install(runtime).map_err(|e| tools::say(&format!("{runtime}: {e:#}"))).ok();
    Ok(tools::need(runtime, installed)?.map(|()| server))
}

fn create(server: &TestServer, runtime: &str, files: &[(&str, &str)]) -> Result<TestFunction> {
    let spec = FunctionSpec::new(runtime, "index.handler", &package::files(files));
    spec.with("Timeout", 30).with("MemorySize", 256).create(&server.api)
}

const FLAGS: &str = "const { getHeapStatistics } = require('v8');
exports.handler = async () => ({
  flags: process.execArgv, heap: getHeapStatistics().heap_size_limit, gc: typeof gc, head: require('http').maxHeaderSize,
  os: require('fs').readFileSync('/etc/os-release', 'utf8'),
});";

fn node_starts_as_on_aws(runtime: &str) -> Result<()> {
    let Some(server) = server(runtime)? else { return Ok(()) };
    let got = create(&server, runtime, &[("index.js", FLAGS)])?.invoke(&json!({}))?.ok()?;
    let flags = [
        "--expose-gc",
        "--max-http-header-size=81920",
        "--max-semi-space-size=12",
        "--max-old-space-size=230",
    ];
    assert_eq!(got["flags"], json!(flags));
    assert_eq!((&got["gc"], &got["head"]), (&json!("function"), &json!(81920)));
    let heap_mib = got["heap"].as_u64().unwrap_or_default() >> 20;
    assert!((230..300).contains(&heap_mib), "a heap of {heap_mib} MiB in a function of 256 MB");
    let os = got["os"].as_str().unwrap_or_default();
    assert!(os.contains("\nID=\"amzn\"\n") && os.contains("\nVERSION_ID=\"2023\"\n"), "{os}");
    Ok(())
}

#[test]
fn node_20_starts_as_on_aws() -> Result<()> {
    node_starts_as_on_aws("nodejs20.x")
}

#[test]
fn node_22_starts_as_on_aws() -> Result<()> {
    node_starts_as_on_aws("nodejs22.x")
}

const SDK_REQUIRED: &str = "const { S3Client } = require('@aws-sdk/client-s3');
const { DynamoDBDocumentClient } = require('@aws-sdk/lib-dynamodb');
exports.handler = async () => [typeof S3Client, typeof DynamoDBDocumentClient, new S3Client({}).config.serviceId];";

/// `only` has no entry for `require`, `mine` belongs to the function, `both` is in two places.
const SDK_IMPORTED: &str = "import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import only from 'only';
import mine from 'mine';
import both from 'both';
const absent = await import('not-there').catch((error) => error.code);
export const handler = async () => {
  const { SQSClient } = await import('@aws-sdk/client-sqs');
  return [typeof S3Client, typeof DynamoDBDocumentClient, typeof SQSClient, only, mine, both, absent];
};";

fn node_finds_packages(runtime: &str) -> Result<()> {
    let Some(server) = server(runtime)? else { return Ok(()) };
    let required = create(&server, runtime, &[("index.js", SDK_REQUIRED)])?;
    assert_eq!(required.invoke(&json!({}))?.ok()?, json!(["function", "function", "S3"]));
    let package = package::files(&[
        ("index.mjs", SDK_IMPORTED),
        ("vendor/node_modules/only/package.json", r#"{"name":"only","exports":{"import":"./index.mjs"}}"#),
        ("vendor/node_modules/only/index.mjs", "export default 'only';"),
        ("vendor/node_modules/both/index.js", "module.exports = 'by NODE_PATH';"),
        ("node_modules/mine/index.js", "module.exports = 'mine';"),
        ("node_modules/both/index.js", "module.exports = 'beside';"),
    ]);
    let path = "/var/task/vendor/node_modules:/var/runtime/node_modules";
    let spec =
        FunctionSpec::new(runtime, "index.handler", &package).with("Timeout", 30).with("MemorySize", 256);
    let imported = spec.variables(&json!({ "NODE_PATH": path })).create(&server.api)?;
    assert_eq!(
        imported.invoke(&json!({}))?.ok()?,
        json!(["function", "function", "function", "only", "mine", "beside", "ERR_MODULE_NOT_FOUND"])
    );
    Ok(())
}

#[test]
fn node_20_finds_packages() -> Result<()> {
    node_finds_packages("nodejs20.x")
}

#[test]
fn node_22_finds_packages() -> Result<()> {
    node_finds_packages("nodejs22.x")
}

const HOST: &str = "import platform, socket
def handler(event, context):
    name = socket.gethostname()
    system = platform.freedesktop_os_release()
    return [socket.gethostbyname(name), system['ID'], system['VERSION_ID'], system['ID_LIKE']]
";

#[test]
fn python_resolves_its_host_name_and_knows_its_system() -> Result<()> {
    let Some(server) = server("python3.11")? else { return Ok(()) };
    let got = create(&server, "python3.11", &[("index.py", HOST)])?.invoke(&json!({}))?.ok()?;
    assert_eq!(got, json!(["127.0.0.1", "amzn", "2", "centos rhel fedora"]));
    Ok(())
}

const MAIN: &str = "import __main__
def handler(event, context):
    return callable(__main__.awslambdaricmain.bootstrap.handle_event_request)
";

#[test]
fn the_python_client_has_the_name_that_aws_gives_it() -> Result<()> {
    let Some(server) = server("python3.11")? else { return Ok(()) };
    assert_eq!(create(&server, "python3.11", &[("index.py", MAIN)])?.invoke(&json!({}))?.ok()?, true);
    Ok(())
}

const SENTRY: &str = "import sentry_sdk
from sentry_sdk.integrations.aws_lambda import AwsLambdaIntegration
from sentry_sdk.transport import Transport
sent = []
class Kept(Transport):
    def capture_envelope(self, envelope):
        event = envelope.get_event()
        if event:
            sent.extend(error['value'] for error in event['exception']['values'])
sentry_sdk.init(dsn='http://key@localhost/1', transport=Kept, integrations=[AwsLambdaIntegration()])
def handler(event, context):
    if 'fail' in event:
        raise ValueError(event['fail'])
    return sent
";

/// The files of a Python package in the tests' own Python.
fn python_package(python: &Path, name: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let script = format!("import {name}; print({name}.__path__[0])");
    let told = tools::run(tools::command(python).args(["-c", &script]))?.stdout;
    let root = PathBuf::from(String::from_utf8(told)?.trim());
    let base = root.parent().context("a package lies in a folder")?.to_owned();
    let (mut files, mut folders) = (Vec::new(), vec![root]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind != "pyc") {
                let name = path.strip_prefix(&base)?.to_string_lossy().into_owned();
                files.push((name, std::fs::read(path)?));
            }
        }
    }
    Ok(files)
}

/// Sentry's integration wraps functions of the runtime client; if it does not find them, it silently does
/// nothing.
#[test]
fn sentry_reports_what_a_function_raises() -> Result<()> {
    let Some(server) = server("python3.11")? else { return Ok(()) };
    let Some(python) = tools::need("a Python with boto3 and sentry_sdk", tools::python_with_boto3())? else {
        return Ok(());
    };
    let mut entries = vec![ZipEntry::file("index.py", SENTRY.as_bytes())];
    for name in ["sentry_sdk", "urllib3", "certifi"] {
        let files = python_package(&python, name)?;
        entries.extend(files.iter().map(|(name, data)| ZipEntry::file(name, data)));
    }
    let spec = FunctionSpec::new("python3.11", "index.handler", &package::zip(&entries));
    let function = spec.with("Timeout", 30).with("MemorySize", 512).create(&server.api)?;
    let failed = function.invoke(&json!({ "fail": "on purpose" }))?;
    assert_eq!(failed.failure()?, ("ValueError".to_owned(), "on purpose".to_owned()));
    let reported: Value = function.invoke(&json!({}))?.ok()?;
    ensure!(reported == json!(["on purpose"]), "{reported} was reported");
    Ok(())
}
