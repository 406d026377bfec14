//! Two accounts on one server have the same names and nothing in common.

use std::fs::OpenOptions;
use std::io::Write as _;

use anyhow::{Result, ensure};
use lambd_compat_tests::api::{ApiClient, FUNCTIONS};
use lambd_compat_tests::sigv4::TestSigner;
use lambd_compat_tests::{FunctionSpec, TestServer};
use serde_json::{Value, json};

const OTHER: &str = "111111111111";

/// A server with a second account, and that account's keys.
fn server() -> Result<Option<(TestServer, ApiClient)>> {
    let Some(mut server) = TestServer::start()? else { return Ok(None) };
    server.install("provided.al2023")?;
    server.stop()?;
    let mut keys = OpenOptions::new().append(true).open(server.data_dir().join("credentials"))?;
    writeln!(
        keys,
        "[other]\naws_access_key_id = AKIDOTHER\naws_secret_access_key = secret\naws_account_id = {OTHER}"
    )?;
    server.restart()?;
    let region = server.api.signer.region.clone();
    let signer = TestSigner { key: "AKIDOTHER".to_owned(), secret: "secret".to_owned(), region };
    let other = ApiClient { address: server.api.address, signer };
    Ok(Some((server, other)))
}

fn names(api: &ApiClient) -> Result<Vec<String>> {
    let list = api.call("GET", &format!("{FUNCTIONS}/"), None)?.json()?;
    let arn = |function: &Value| function["FunctionArn"].as_str().unwrap_or_default().to_owned();
    Ok(list["Functions"].as_array().into_iter().flatten().map(arn).collect())
}

#[test]
fn accounts_share_nothing_but_the_machine() -> Result<()> {
    let Some((mut server, theirs)) = server()? else { return Ok(()) };
    let own = server.api.clone();
    let spec = |who: &str| -> Result<FunctionSpec> {
        Ok(FunctionSpec::bootstrap()?
            .with("FunctionName", "same")
            .variables(&json!({ "LAMBD_TEST_VAR": who })))
    };
    let ours = spec("ours")?.create(&own)?;
    assert_eq!(names(&theirs)?, [""; 0]);
    assert_eq!(theirs.call("GET", &ours.path(), None)?.status, 404);
    let far = format!("{FUNCTIONS}/arn:aws:lambda:{}:000000000000:function:same", own.signer.region);
    assert_eq!(theirs.call("GET", &far, None)?.status, 403);

    let other = spec("theirs")?.create(&theirs)?;
    for (api, account) in [(&own, "000000000000"), (&theirs, OTHER)] {
        let region = &api.signer.region;
        assert_eq!(names(api)?, [format!("arn:aws:lambda:{region}:{account}:function:same")]);
    }
    for (function, who, account) in [(&ours, "ours", "000000000000"), (&other, "theirs", OTHER)] {
        for _ in 0..2 {
            let seen = function.invoke(&json!({ "do": "id" }))?.ok()?.to_string();
            ensure!(seen.contains(who), "{who}: {seen}");
        }
        let arn = function.configuration()?["FunctionArn"].as_str().unwrap_or_default().to_owned();
        ensure!(arn.contains(account), "{arn}");
    }

    // Each account can reserve a thousand.
    ours.reserve(900)?;
    other.reserve(900)?;
    // A package of the other account cannot be read as a file, even by its name.
    let code = own.call("GET", &ours.path(), None)?.json()?;
    let location = code["Code"]["Location"].as_str().unwrap_or_default().to_owned();
    let path = location.split('?').next().unwrap_or_default().trim_start_matches(&server.url).to_owned();
    assert_eq!((theirs.call("GET", &path, None)?.status, own.call("GET", &path, None)?.status), (404, 200));

    drop(ours);
    assert_eq!(other.invoke(&json!({}))?.answer.status, 200);
    server.kill9()?;
    server.restart()?;
    let theirs = ApiClient { address: server.api.address, ..theirs };
    assert_eq!(names(&theirs)?.len(), 1);
    assert_eq!(names(&server.api)?.len(), 0);
    Ok(())
}

/// A policy lets another account invoke one version, as that function's own caller would, until it is taken back.
#[test]
fn a_policy_lets_another_account_invoke() -> Result<()> {
    let Some((server, theirs)) = server()? else { return Ok(()) };
    let function = FunctionSpec::bootstrap()?.create(&server.api)?;
    let policy = format!("{}/policy", function.path());
    let arn = format!("arn:aws:lambda:{}:000000000000:function:{}", server.api.signer.region, function.name);
    let path = format!("{FUNCTIONS}/{arn}/invocations");
    let invoke = || theirs.call("POST", &path, Some(&json!({ "a": 1 })));
    assert_eq!(invoke()?.status, 403);
    let permit = json!({ "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": OTHER });
    ensure!(server.api.call("POST", &policy, Some(&permit))?.status == 201);
    let answer = invoke()?;
    assert_eq!((answer.status, answer.json()?), (200, json!({ "a": 1 })));
    assert_eq!(
        theirs.call("GET", &format!("{FUNCTIONS}/{arn}"), None)?.status,
        403,
        "to invoke, and no more"
    );
    ensure!(server.api.call("DELETE", &format!("{policy}/s"), None)?.status == 204);
    assert_eq!(invoke()?.status, 403);
    Ok(())
}
