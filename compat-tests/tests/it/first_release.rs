//! The data directory of the first release opens with all its content.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambd_compat_tests::api::{ApiRequest, FUNCTIONS};
use lambd_compat_tests::{TestServer, tools};
use serde_json::{Value, json};

/// The user id of the server of that release; the current server keeps the owner that it finds.
const OWNER: u32 = 1_890_622_840;
/// Keeps the logs of that release, even if this test runs years later.
const KEEP_LOGS: [&str; 2] = ["--logs-retention-days", "3653"];

/// Decodes a text, or bytes in base64.
fn bytes(value: &Value) -> Result<Vec<u8>> {
    match value.as_str() {
        Some(text) => Ok(text.as_bytes().to_vec()),
        None => Ok(STANDARD.decode(value["base64"].as_str().context("neither text nor base64")?)?),
    }
}

fn own(path: &Path) -> Result<()> {
    chown(path, Some(OWNER), Some(OWNER))?;
    if path.is_dir() {
        fs::read_dir(path)?.try_for_each(|entry| own(&entry?.path()))?;
    }
    Ok(())
}

/// Writes the directory as it was.
#[expect(clippy::disallowed_types, reason = "what the first release wrote is written as it wrote it")]
fn lay_out(data: &Path) -> Result<()> {
    let kept: Value = serde_json::from_str(include_str!("../../fixtures/first_release.json"))?;
    for (name, content) in kept["files"].as_object().context("no files")? {
        let path = data.join(name);
        fs::create_dir_all(path.parent().context("no folder")?)?;
        fs::write(path, bytes(content)?)?;
    }
    let mut options = rocksdb::Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    let tables = ["default", "meta", "functions", "account", "events", "logs"];
    let db = rocksdb::DB::open_cf(&options, data.join("db"), tables)?;
    for row in kept["rows"].as_array().context("no rows")? {
        let table = row[0].as_str().and_then(|table| db.cf_handle(table)).context("no such table")?;
        db.put_cf(table, bytes(&row[1])?, bytes(&row[2])?)?;
    }
    drop(db);
    fs::write(data.join("db/lambd.lock"), "")?;
    for folder in ["db", "packages"].map(|name| data.join(name)) {
        own(&folder)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[test]
fn a_data_directory_of_the_first_release_opens_and_works() -> Result<()> {
    let Some(mut server) = TestServer::start_on(lay_out, &KEEP_LOGS)? else { return Ok(()) };
    for start in ["first", "second"] {
        server.install("python3.11")?;
        let mut api = server.api.clone();
        for (region, functions) in [("us-east-1", 2), ("eu-west-1", 1)] {
            region.clone_into(&mut api.signer.region);
            let list = api.call("GET", &format!("{FUNCTIONS}/"), None)?.json()?;
            assert_eq!(
                list["Functions"].as_array().map_or(0, Vec::len),
                functions,
                "{start} start, {region}"
            );
            let invoke = ApiRequest::new("POST", &format!("{FUNCTIONS}/hello/invocations")).body("{\"a\":1}");
            let answer = api.send(&invoke)?;
            let arn = format!("arn:aws:lambda:{region}:000000000000:function:hello");
            assert_eq!(answer.json()?, json!({ "event": { "a": 1 }, "arn": arn }), "{start} start");
        }
        "us-east-1".clone_into(&mut api.signer.region);
        full_is_whole(&api.call("GET", &format!("{FUNCTIONS}/full"), None)?.json()?)?;
        if start == "first" {
            let log = server.logs("hello")?;
            ensure!(log.contains("343211e4-a517-4025-b826-ab114e4157d1"), "{log}");
        }
        server.stop()?;
        server.restart()?;
    }
    Ok(())
}

fn full_is_whole(function: &Value) -> Result<()> {
    let configuration = &function["Configuration"];
    for (member, want) in [
        ("Description", json!("Says hello")),
        ("Timeout", json!(900)),
        ("MemorySize", json!(256)),
        ("EphemeralStorage", json!({ "Size": 1024 })),
        ("Environment", json!({ "Variables": { "LANG": "C", "SECRET": "ä" } })),
        ("TracingConfig", json!({ "Mode": "Active" })),
        ("DeadLetterConfig", json!({ "TargetArn": "arn:aws:sqs:us-east-1:000000000000:q" })),
        ("State", json!("Active")),
    ] {
        assert_eq!(configuration[member], want, "{member}");
    }
    let logging = json!({
        "LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "SystemLogLevel": "WARN", "LogGroup": "mine"
    });
    assert_eq!(configuration["LoggingConfig"], logging);
    assert_eq!(function["Tags"], json!({ "team": "a", "x": "" }));
    assert_eq!(function["Concurrency"], json!({ "ReservedConcurrentExecutions": 7 }));
    let location = function["Code"]["Location"].as_str().context("no Location")?;
    let mut curl = tools::command("curl");
    let zip = tools::run(curl.args(["-sSf", location]))?;
    ensure!(zip.stdout.starts_with(b"PK"), "no zip behind {location}");
    Ok(())
}
