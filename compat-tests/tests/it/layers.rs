//! Layers in real environments: merged at `/opt`, in the search paths of the runtimes, kept by their functions.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambd_compat_tests::package::{self, ZipEntry, zip};
use lambd_compat_tests::wait::until;
use lambd_compat_tests::{FunctionSpec, TestFunction, TestServer, programs, tools};
use serde_json::{Value, json};

/// Publishes these files as a new version of a layer, and returns its ARN.
fn publish(server: &TestServer, name: &str, files: &[ZipEntry]) -> Result<String> {
    let request = json!({ "Content": { "ZipFile": STANDARD.encode(zip(files)) } });
    let answer = server.api.call("POST", &format!("/2018-10-31/layers/{name}/versions"), Some(&request))?;
    ensure!(answer.status == 201, "{}", answer.text());
    Ok(answer.json()?["LayerVersionArn"].as_str().context("no ARN")?.to_owned())
}

const PYTHON: &str = "import os, subprocess
import both, first, second, versioned
def handler(e, c):
    tool = subprocess.run(['tool'], capture_output=True, text=True).stdout.strip()
    try:
        open('/opt/new', 'w')
        writes = 'written'
    except OSError as error:
        writes = error.strerror
    return [both.text, first.text, second.text, versioned.text, tool, sorted(os.listdir('/opt')), writes]
";

fn python_layers(server: &TestServer, suffix: &str) -> Result<[String; 2]> {
    let first = publish(
        server,
        &format!("first-{suffix}"),
        &[
            ZipEntry::file("python/both.py", b"text = 'first'"),
            ZipEntry::file("python/first.py", b"text = 1"),
            ZipEntry::executable("bin/tool", b"#!/bin/sh\necho a tool of the first layer\n"),
        ],
    )?;
    let second = publish(
        server,
        &format!("second-{suffix}"),
        &[
            ZipEntry::file("python/both.py", b"text = 'second'"),
            ZipEntry::file("python/second.py", b"text = 2"),
            ZipEntry::file("python/lib/python3.11/site-packages/versioned.py", b"text = 3.11"),
        ],
    )?;
    Ok([first, second])
}

fn with_layers(server: &TestServer, layers: &[String]) -> Result<TestFunction> {
    let package = package::files(&[("app.py", PYTHON)]);
    FunctionSpec::new("python3.11", "app.handler", &package).with("Layers", json!(layers)).create(&server.api)
}

/// Invokes through the server as it is now: its port may have changed.
fn invoke(server: &TestServer, function: &TestFunction) -> Result<Value> {
    let path = format!("{}/invocations", function.path());
    let answer = server.api.call("POST", &path, Some(&json!({})))?;
    ensure!(answer.status == 200, "{}", answer.text());
    answer.json()
}

/// Waits until an update of the function is complete.
fn updated(server: &TestServer, function: &TestFunction) -> Result<()> {
    until("the update", || {
        let shown = server.api.call("GET", &function.path(), None)?.json()?;
        Ok((shown["Configuration"]["LastUpdateStatus"] == "Successful").then_some(()))
    })
}

#[test]
fn layers_are_merged_in_order_and_outlive_their_deletion() -> Result<()> {
    let Some(mut server) = TestServer::start()? else { return Ok(()) };
    server.install("python3.11")?;
    let [first, second] = python_layers(&server, "a")?;
    let function = with_layers(&server, &[first.clone(), second.clone()])?;
    let want = |both: &str| {
        json!([both, 1, 2, 3.11, "a tool of the first layer", ["bin", "python"], "Read-only file system"])
    };
    assert_eq!(function.invoke(&json!({}))?.ok()?, want("second"));
    let shown = server.api.call("GET", &function.path(), None)?.json()?;
    let arns = shown["Configuration"]["Layers"].as_array().context("no layers")?;
    assert_eq!(
        arns.iter().map(|layer| layer["Arn"].clone()).collect::<Vec<_>>(),
        [first.clone(), second.clone()]
    );
    for arn in [&first, &second] {
        let (layer, number) = arn.rsplit_once(':').context("no number")?;
        let path = format!("/2018-10-31/layers/{layer}/versions/{number}");
        ensure!(server.api.call("DELETE", &path, None)?.status == 204);
    }
    server.kill9()?;
    server.restart()?;
    assert_eq!(invoke(&server, &function)?, want("second"), "deleted versions stay in their functions");
    let turned = json!({ "Layers": [second, first] });
    let path = format!("{}/configuration", function.path());
    ensure!(server.api.call("PUT", &path, Some(&turned))?.status == 200, "a function keeps what it has");
    updated(&server, &function)?;
    assert_eq!(invoke(&server, &function)?, want("first"));
    ensure!(server.api.call("PUT", &path, Some(&json!({ "Layers": [] })))?.status == 200);
    updated(&server, &function)?;
    assert_eq!(invoke(&server, &function)?["errorType"], "Runtime.ImportModuleError");
    Ok(())
}

#[test]
fn a_bootstrap_may_come_from_a_layer() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let bootstrap = ZipEntry::executable("bootstrap", programs::bootstrap()?);
    let layer = publish(&server, "bootstrap", &[bootstrap])?;
    let package = package::files(&[("nothing", "")]);
    let spec = FunctionSpec::new("provided.al2023", "any", &package).with("Layers", json!([layer]));
    let answer = spec.create(&server.api)?.invoke(&json!({ "a": 1 }))?.ok()?;
    assert_eq!(answer, json!({ "a": 1 }));
    Ok(())
}

#[test]
fn a_wrapper_from_a_layer_starts_the_runtime() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("python3.11")?;
    let wrapper = b"#!/bin/sh\nexport WRAPPED=\"$*\"\nexec \"$@\"\n";
    let layer = publish(&server, "wrapper", &[ZipEntry::executable("wrapper", wrapper)])?;
    let code = "import os\ndef handler(e, c):\n    return os.environ['WRAPPED']\n";
    let spec = FunctionSpec::new("python3.11", "app.handler", &package::files(&[("app.py", code)]));
    let spec =
        spec.with("Layers", json!([layer])).variables(&json!({ "AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper" }));
    let answer = spec.create(&server.api)?.invoke(&json!({}))?.ok()?;
    assert!(answer.as_str().is_some_and(|wrapped| wrapped.contains("python")), "{answer}");
    Ok(())
}

#[test]
fn node_finds_packages_of_layers() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let installed = server.install("nodejs20.x").map_err(|e| tools::say(&format!("nodejs20.x: {e:#}"))).ok();
    if tools::need("nodejs20.x", installed)?.is_none() {
        return Ok(());
    }
    let layer = publish(
        &server,
        "node",
        &[
            ZipEntry::file("nodejs/node_modules/everywhere/index.js", b"module.exports = 'everywhere';"),
            ZipEntry::file("nodejs/node20/node_modules/only20/index.js", b"module.exports = 'only20';"),
        ],
    )?;
    let code = "exports.handler = async () => [require('everywhere'), require('only20')];";
    let spec = FunctionSpec::new("nodejs20.x", "index.handler", &package::files(&[("index.js", code)]));
    let function = spec.with("Layers", json!([layer])).with("Timeout", 30).create(&server.api)?;
    assert_eq!(function.invoke(&json!({}))?.ok()?, json!(["everywhere", "only20"]));
    Ok(())
}

#[test]
fn layers_that_do_not_fit_are_refused() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("python3.11")?;
    let large = |name: &str| publish(&server, name, &[ZipEntry::zeros("zeros", 130)?]);
    let (one, two) = (large("large-1")?, large("large-2")?);
    let newer = large("large-1")?;
    let missing = one.replace("large-1", "missing");
    let elsewhere = one.replace("us-east-1", "eu-west-1");
    let package = package::files(&[("app.py", PYTHON)]);
    for (layers, text) in [
        (
            vec![&one, &two],
            "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes.",
        ),
        (
            vec![&missing],
            "Layer version arn:aws:lambda:us-east-1:000000000000:layer:missing:1 does not exist.",
        ),
        (vec![&one, &newer], "Two different versions of the same layer are not allowed"),
        (vec![&elsewhere], "Layers are expected to be in region us-east-1."),
        (vec![&one; 6], "Cannot reference more than 5 layers."),
    ] {
        let spec = FunctionSpec::new("python3.11", "app.handler", &package).with("Layers", json!(layers));
        let answer = spec.send(&server.api)?;
        ensure!(answer.status == 400 && answer.text().contains(text), "{} {}", answer.status, answer.text());
    }
    let value = server.api.call("GET", "/2018-10-31/layers", None)?.json()?;
    ensure!(value["Layers"].as_array().is_some_and(|layers| layers.len() >= 2), "{value}");
    Ok(())
}
