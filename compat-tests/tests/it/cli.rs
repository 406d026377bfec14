//! The AWS CLI with commands as a user types them.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};
use lambd_compat_tests::function::ROLE;
use lambd_compat_tests::{TestServer, package, python, tools};
use serde_json::{Value, json};
use tempfile::TempDir;

const HANDLER: &str = "import os\ndef handler(event, context):\n    print('a line')\n    \
                       return {'event': event, 'version': VERSION, 'who': os.environ.get('WHO')}\n";

struct Cli<'s> {
    aws: PathBuf,
    server: &'s TestServer,
    /// The folder in which commands run.
    dir: TempDir,
    /// Arguments of `invoke` by which a payload is taken unchanged: version 2 expects base64.
    raw: &'static [&'static str],
}

impl Cli<'_> {
    fn command(&self, line: &str) -> Command {
        let mut aws = tools::command(&self.aws);
        tools::point_at(&mut aws, self.server).current_dir(self.dir.path()).args(line.split_whitespace());
        if line.starts_with("lambda invoke ") {
            aws.args(self.raw);
        }
        aws
    }

    fn run(&self, line: &str) -> Result<Value> {
        let output = tools::run(&mut self.command(line))?.stdout;
        if output.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&output)?) }
    }

    fn refused(&self, line: &str) -> Result<String> {
        let output = self.command(line).output()?;
        ensure!(!output.status.success(), "{line} should fail");
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn package(&self, version: &str) -> Result<()> {
        let zip = package::files(&[("app.py", &HANDLER.replace("VERSION", version))]);
        Ok(std::fs::write(self.dir.path().join("function.zip"), zip)?)
    }

    fn out(&self) -> Result<Value> {
        Ok(serde_json::from_slice(&std::fs::read(self.dir.path().join("out.json"))?)?)
    }
}

fn cli(server: &TestServer) -> Result<Option<Cli<'_>>> {
    let Some(aws) = tools::need("the AWS CLI (aws)", tools::aws())? else { return Ok(None) };
    let version = tools::run(tools::command(&aws).arg("--version"))?;
    let version = [version.stdout, version.stderr].concat();
    let raw: &[&str] =
        if version.starts_with(b"aws-cli/1") { &[] } else { &["--cli-binary-format", "raw-in-base64-out"] };
    server.install("python3.11")?;
    Ok(Some(Cli { aws, server, dir: tempfile::tempdir()?, raw }))
}

#[test]
fn the_cli_deploys_changes_and_deletes_a_function() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let Some(cli) = cli(&server)? else { return Ok(()) };
    let name = "cli-life";
    cli.package("1")?;
    let made = cli.run(&format!(
        "lambda create-function --function-name {name} --runtime python3.11 --handler app.handler --role {ROLE} \
         --zip-file fileb://function.zip --tags a=1"
    ))?;
    assert_eq!(made["State"], "Pending");
    cli.run(&format!("lambda wait function-active-v2 --function-name {name}"))?;

    let invoke =
        format!("lambda invoke --function-name {name} --log-type Tail --payload {{\"k\":[1]}} out.json");
    let answer = cli.run(&invoke)?;
    assert_eq!((&answer["StatusCode"], &answer["ExecutedVersion"]), (&json!(200), &json!("$LATEST")));
    assert_eq!(cli.out()?, json!({ "event": { "k": [1] }, "version": 1, "who": null }));
    assert!(answer["LogResult"].as_str().is_some_and(|tail| !tail.is_empty()));

    cli.package("2")?;
    cli.run(&format!("lambda update-function-code --function-name {name} --zip-file fileb://function.zip"))?;
    cli.run(&format!("lambda wait function-updated-v2 --function-name {name}"))?;
    cli.run(&format!(
        "lambda update-function-configuration --function-name {name} --memory-size 256 --environment Variables={{WHO=me}}"
    ))?;
    cli.run(&format!("lambda wait function-updated --function-name {name}"))?;
    cli.run(&invoke)?;
    assert_eq!(cli.out()?, json!({ "event": { "k": [1] }, "version": 2, "who": "me" }));

    let list = cli.run("lambda list-functions")?;
    assert!(list["Functions"].as_array().is_some_and(|f| f.iter().any(|f| f["FunctionName"] == name)));
    assert_eq!(
        cli.run(&format!("lambda get-function --function-name {name}"))?["Configuration"]["MemorySize"],
        256
    );
    cli.run(&format!("lambda delete-function --function-name {name}"))?;
    assert!(
        cli.refused(&format!("lambda get-function --function-name {name}"))?
            .contains("ResourceNotFoundException")
    );
    Ok(())
}

#[test]
fn the_cli_tags_a_function_and_reserves_concurrency() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let Some(cli) = cli(&server)? else { return Ok(()) };
    let name = "cli-tags";
    cli.package("1")?;
    let made = cli.run(&format!(
        "lambda create-function --function-name {name} --runtime python3.11 --handler app.handler --role {ROLE} \
         --zip-file fileb://function.zip --tags a=1"
    ))?;
    let arn = made["FunctionArn"].as_str().unwrap_or_default();
    cli.run(&format!("lambda tag-resource --resource {arn} --tags b=2"))?;
    cli.run(&format!("lambda untag-resource --resource {arn} --tag-keys a"))?;
    assert_eq!(cli.run(&format!("lambda list-tags --resource {arn}"))?, json!({ "Tags": { "b": "2" } }));
    cli.run(&format!(
        "lambda put-function-concurrency --function-name {name} --reserved-concurrent-executions 0"
    ))?;
    assert!(
        cli.refused(&format!("lambda invoke --function-name {name} out.json"))?
            .contains("TooManyRequestsException")
    );
    cli.run(&format!("lambda delete-function-concurrency --function-name {name}"))?;
    cli.run(&format!("lambda delete-function --function-name {name}"))?;
    Ok(())
}

/// Generated from the service model of the CLI; the script makes the assertions.
#[test]
fn every_operation_is_a_command_of_the_cli() -> Result<()> {
    let found = tools::need("a Python with the AWS CLI, version 1", tools::python_with("awscli"))?;
    if found.is_none() {
        return Ok(());
    }
    let Some(server) = TestServer::start()? else { return Ok(()) };
    let event = ("event.json", b"{}".to_vec());
    python::run(&server, include_str!("every_operation.py"), &["every-operation"], &[event])
}
