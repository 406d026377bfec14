//! Keys with policies, roles and temporary keys, with the clients that people use for them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use lambd_compat_tests::api::{ApiClient, ApiRequest, FUNCTIONS};
use lambd_compat_tests::sigv4::TestSigner;
use lambd_compat_tests::{FunctionSpec, TestServer, package, programs, tools};
use serde_json::{Value, json};

const CREDENTIALS: &str = "[default]
aws_access_key_id = AKIDOWN
aws_secret_access_key = own
[reader]
aws_access_key_id = AKIDREADER
aws_secret_access_key = reader
aws_account_id = 000000000000
lambd_policy = read
[other]
aws_access_key_id = AKIDOTHER
aws_secret_access_key = other
aws_account_id = 111111111111
";

/// A server with three keys, a policy for one of them, and a role that has the same policy.
fn server() -> Result<Option<TestServer>> {
    let policies = json!({
        "Policies": { "read": { "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": ["lambda:Get*", "lambda:List*"], "Resource": "*" },
            { "Effect": "Deny", "Action": "lambda:*", "Resource": "arn:aws:lambda:*:*:function:secret*" },
        ] } },
        "Roles": { "arn:aws:iam::000000000000:role/reader": "read" },
    });
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("policies.json");
    fs::write(&file, policies.to_string())?;
    let prepare = |data: &Path| {
        fs::create_dir(data)?;
        let path = data.join("credentials");
        fs::write(&path, CREDENTIALS)?;
        Ok(fs::set_permissions(path, Permissions::from_mode(0o600))?)
    };
    TestServer::start_on(prepare, &["--policies-file", file.to_str().context("no text")?])
}

/// boto3 as a person with each of the keys, with temporary ones, and with those of a function.
#[test]
fn policies_and_temporary_keys_with_boto3() -> Result<()> {
    let Some(server) = server()? else { return Ok(()) };
    let found = tools::need("a Python with boto3", tools::python_with_boto3())?;
    let Some(python) = found else { return Ok(()) };
    server.install("python3.11")?;
    let dir = tempfile::tempdir()?;
    fs::write(dir.path().join("script.py"), include_str!("identity.py"))?;
    fs::write(dir.path().join("probe.zip"), package::files(&[("probe.py", programs::PROBE)]))?;
    let mut script = tools::command(python);
    let key = fs::read_to_string(server.data_dir().join("session-key"))?;
    tools::run(
        tools::point_at(&mut script, &server)
            .env("SESSION_KEY", key.trim())
            .current_dir(dir.path())
            .arg("script.py"),
    )?;
    Ok(())
}

#[test]
fn the_cli_assumes_a_role() -> Result<()> {
    let Some(server) = server()? else { return Ok(()) };
    let Some(aws) = tools::need("the AWS CLI", tools::aws())? else { return Ok(()) };
    let line = "sts assume-role --role-arn arn:aws:iam::000000000000:role/reader --role-session-name cli";
    let mut assume = tools::command(&aws);
    let output = tools::run(tools::point_at(&mut assume, &server).args(line.split(' ')))?.stdout;
    let answer: Value = serde_json::from_slice(&output)?;
    assert_eq!(answer["AssumedRoleUser"]["Arn"], "arn:aws:sts::000000000000:assumed-role/reader/cli");
    let part = |name: &str| answer["Credentials"][name].as_str().unwrap_or_default().to_owned();
    let session = |line: &str| {
        let mut command = tools::command(&aws);
        tools::point_at(&mut command, &server)
            .env("AWS_ACCESS_KEY_ID", part("AccessKeyId"))
            .env("AWS_SECRET_ACCESS_KEY", part("SecretAccessKey"))
            .env("AWS_SESSION_TOKEN", part("SessionToken"))
            .args(line.split(' '));
        command
    };
    let listed: Value = serde_json::from_slice(&tools::run(&mut session("lambda list-functions"))?.stdout)?;
    assert_eq!(listed["Functions"], json!([]));
    let who: Value = serde_json::from_slice(&tools::run(&mut session("sts get-caller-identity"))?.stdout)?;
    assert_eq!(who["Arn"], answer["AssumedRoleUser"]["Arn"]);
    let refused = session("lambda delete-function --function-name f").output()?;
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(
        !refused.status.success() && error.contains("(AccessDeniedException)"),
        "a role that may only read deletes: {error}"
    );
    Ok(())
}

/// A restart keeps temporary keys; a new session key ends them.
#[test]
fn temporary_keys_outlive_the_server() -> Result<()> {
    let Some(mut server) = TestServer::start()? else { return Ok(()) };
    server.install("python3.11")?;
    let function = FunctionSpec::probe().create(&server.api)?;
    let environ = function.invoke(&json!({ "do": "environ" }))?.ok()?;
    let part = |name: &str| environ[name].as_str().unwrap_or_default().to_owned();
    let call = |server: &TestServer| {
        let signer = TestSigner {
            key: part("AWS_ACCESS_KEY_ID"),
            secret: part("AWS_SECRET_ACCESS_KEY"),
            region: part("AWS_REGION"),
        };
        let request =
            ApiRequest::new("GET", FUNCTIONS).header("x-amz-security-token", &part("AWS_SESSION_TOKEN"));
        let answer = ApiClient { address: server.api.address, signer }.send(&request)?;
        Ok::<_, anyhow::Error>((answer.status, answer.code().to_owned()))
    };
    let known = (403, "AccessDeniedException".to_owned());
    assert_eq!(call(&server)?, known, "its role may not list functions");
    server.stop()?;
    server.restart()?;
    assert_eq!(call(&server)?, known);
    server.stop()?;
    fs::remove_file(server.data_dir().join("session-key"))?;
    server.restart()?;
    assert_eq!(call(&server)?, (403, "UnrecognizedClientException".to_owned()));
    Ok(())
}
