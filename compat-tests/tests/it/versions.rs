//! Published versions and aliases, run in real environments.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambd_compat_tests::api::{ApiRequest, FUNCTIONS};
use lambd_compat_tests::wait::until;
use lambd_compat_tests::{FunctionSpec, TestFunction, TestServer, package};
use serde_json::{Value, json};

/// Answers its text, its version and a number that counts the invocations of its environment.
fn code(text: &str) -> Vec<u8> {
    let code = format!(
        "import os\ncount = 0\ndef handler(e, c):\n    global count\n    count += 1\n    \
         return ['{text}', c.function_version, os.environ['AWS_LAMBDA_FUNCTION_VERSION'], count]\n"
    );
    package::files(&[("app.py", &code)])
}

/// Publishes this code as the next version.
fn publish(server: &TestServer, function: &TestFunction, text: &str) -> Result<String> {
    let update = json!({ "ZipFile": STANDARD.encode(code(text)), "Publish": true });
    let answer = server.api.call("PUT", &format!("{}/code", function.path()), Some(&update))?;
    ensure!(answer.status == 200, "{}", answer.text());
    function.wait("LastUpdateStatus", "Successful")?;
    Ok(answer.json()?["Version"].as_str().context("no Version")?.to_owned())
}

/// The answer and the version that it says was executed.
fn invoke(server: &TestServer, function: &TestFunction, qualifier: &str) -> Result<(Value, String)> {
    let path = format!("{}/invocations?Qualifier={}", function.path(), qualifier.replace('$', "%24"));
    let answer = server.api.send(&ApiRequest::new("POST", &path).body("{}"))?;
    ensure!(answer.status == 200, "{}", answer.text());
    let executed = answer.header("x-amz-executed-version").context("no executed version")?.to_owned();
    Ok((answer.json()?, executed))
}

fn made(server: &TestServer) -> Result<TestFunction> {
    server.install("python3.11")?;
    let function = FunctionSpec::new("python3.11", "app.handler", &code("latest")).create(&server.api)?;
    ensure!(publish(server, &function, "one")? == "1" && publish(server, &function, "two")? == "2");
    Ok(function)
}

#[test]
fn versions_are_warm_side_by_side_and_outlive_the_server() -> Result<()> {
    let Some(mut server) = TestServer::start()? else { return Ok(()) };
    let function = made(&server)?;
    for round in 1..=3 {
        for (qualifier, text) in [("1", "one"), ("2", "two"), ("$LATEST", "two")] {
            let want = (json!([text, qualifier, qualifier, round]), qualifier.to_owned());
            assert_eq!(invoke(&server, &function, qualifier)?, want, "round {round}");
        }
    }
    // An update concerns the unpublished version only.
    let change = json!({ "Description": "changed" });
    server.api.call("PUT", &format!("{}/configuration", function.path()), Some(&change))?;
    function.wait("LastUpdateStatus", "Successful")?;
    assert_eq!(invoke(&server, &function, "1")?.0[3], 4, "still warm");
    assert_eq!(invoke(&server, &function, "$LATEST")?.0[3], 1, "its environment was replaced");
    let alias = json!({ "Name": "live", "FunctionVersion": "1" });
    let path = format!("{}/aliases", function.path());
    ensure!(server.api.call("POST", &path, Some(&alias))?.status == 201);
    server.kill9()?;
    server.restart()?;
    assert_eq!(invoke(&server, &function, "live")?, (json!(["one", "1", "1", 1]), "1".to_owned()));
    assert_eq!(invoke(&server, &function, "2")?.0[0], "two");
    Ok(())
}

#[test]
fn an_alias_shares_its_invocations_out() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let function = made(&server)?;
    let weights = json!({ "AdditionalVersionWeights": { "2": 0.5 } });
    let alias = json!({ "Name": "canary", "FunctionVersion": "1", "RoutingConfig": weights });
    let path = format!("{}/aliases", function.path());
    ensure!(server.api.call("POST", &path, Some(&alias))?.status == 201);
    let mut seen = BTreeMap::new();
    // The chance that one of them is never drawn is one in 2^99.
    for _ in 0..100 {
        let (answer, executed) = invoke(&server, &function, "canary")?;
        assert_eq!(answer[1], executed);
        *seen.entry(executed).or_insert(0) += 1;
    }
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["1", "2"], "{seen:?}");
    let moved = json!({ "FunctionVersion": "2", "RoutingConfig": {} });
    ensure!(server.api.call("PUT", &format!("{path}/canary"), Some(&moved))?.status == 200);
    for _ in 0..20 {
        assert_eq!(invoke(&server, &function, "canary")?.1, "2");
    }
    Ok(())
}

/// Packages that only a deleted version named are collected, those of others are not.
#[test]
fn a_deleted_version_leaves_nothing_behind() -> Result<()> {
    let Some(server) = TestServer::start()? else { return Ok(()) };
    let function = made(&server)?;
    invoke(&server, &function, "1")?;
    let packages = || -> Result<usize> {
        let names = fs::read_dir(server.data_dir().join("packages"))?.map(|entry| Ok(entry?.file_name()));
        Ok(names.collect::<Result<Vec<_>>>()?.into_iter().filter(|name| name != ".staging").count())
    };
    until("the first package is collected", || Ok((packages()? == 2).then_some(())))?;
    let gone = server.api.call("DELETE", &format!("{}?Qualifier=1", function.path()), None)?;
    assert_eq!(gone.status, 204);
    until("its package is collected", || Ok((packages()? == 1).then_some(())))?;
    let path = format!("{FUNCTIONS}/{}/invocations?Qualifier=1", function.name);
    assert_eq!(server.api.send(&ApiRequest::new("POST", &path).body("{}"))?.status, 404);
    assert_eq!(invoke(&server, &function, "2")?.0[0], "two");
    Ok(())
}
