//! Terraform with the AWS provider from an offline mirror.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};
use lambd_compat_tests::python::S3Server;
use lambd_compat_tests::wait::until;
use lambd_compat_tests::{TestServer, package, python, tools};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Every resource of Lambda, for the provider with the checks that it makes unless told otherwise.
const MAIN: &str = include_str!("terraform/main.tf");
/// Every data source, what invokes, and outputs.
const MORE: &str = include_str!("terraform/more.tf");
/// The resources of [`MAIN`] that can be imported.
const IMPORT: &str = include_str!("terraform/import.tf");
/// Code from S3 and an image, for the provider without its checks.
const S3: &str = include_str!("terraform/s3.tf");
/// Every optional block, taken away by a variable.
const BLOCKS: &str = include_str!("terraform/blocks.tf");
const HANDLER: &str = "import os, layer\ndef handler(e, c):\n    return e or \
                       [c.memory_limit_in_mb, os.environ['COLOUR'], layer.text]\n";

struct Terraform<'s> {
    program: PathBuf,
    server: &'s TestServer,
    /// `var.name`, which the names of all resources begin with.
    name: &'static str,
    /// The configuration, its files and its state.
    dir: TempDir,
    variables: Vec<(String, String)>,
}

impl<'s> Terraform<'s> {
    /// A folder with these files, initialised.
    fn new(server: &'s TestServer, name: &'static str, files: &[(&str, &[u8])]) -> Result<Option<Self>> {
        let found = tools::need("terraform or its provider mirror", tools::terraform())?;
        let Some((program, mirror)) = found else { return Ok(None) };
        server.install("python3.11")?;
        let dir = tempfile::tempdir()?;
        let mirror =
            format!("provider_installation {{\n  filesystem_mirror {{\n    path = {mirror:?}\n  }}\n}}\n");
        for (file, data) in files.iter().chain(&[("mirror.tfrc", mirror.as_bytes())]) {
            std::fs::write(dir.path().join(file), data)?;
        }
        let terraform = Self { program, server, name, dir, variables: Vec::new() };
        terraform.run("init -input=false")?;
        Ok(Some(terraform))
    }

    fn command(&self, line: &str) -> Command {
        let mut terraform = tools::command(&self.program);
        tools::point_at(&mut terraform, self.server)
            .current_dir(self.dir.path())
            .env("TF_CLI_CONFIG_FILE", self.dir.path().join("mirror.tfrc"))
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_VAR_name", self.name)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .args(line.split_whitespace())
            .arg("-no-color");
        terraform
    }

    fn run(&self, line: &str) -> Result<()> {
        tools::run(&mut self.command(line)).map(drop)
    }

    fn json(&self, line: &str) -> Result<Value> {
        Ok(serde_json::from_slice(&tools::run(&mut self.command(line))?.stdout)?)
    }

    /// Applies with these variables; a second plan must be empty.
    fn apply(&self, variables: &str) -> Result<()> {
        self.run(&format!("apply -auto-approve -input=false {variables}"))?;
        self.run(&format!("plan -detailed-exitcode -input=false {variables}")) // exit code 2 if it is not
    }

    /// Invokes the function that has the name itself.
    fn invoke(&self) -> Result<Value> {
        let path = format!("/2015-03-31/functions/{}/invocations", self.name);
        let answer = self.server.api.call("POST", &path, Some(&json!({})))?;
        ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
        answer.json()
    }

    /// Destroys all of it; the function is gone.
    fn destroy(&self, variables: &str) -> Result<()> {
        self.run(&format!("destroy -auto-approve -input=false {variables}"))?;
        let gone = self.server.api.call("GET", &format!("/2015-03-31/functions/{}", self.name), None)?;
        assert_eq!((gone.status, gone.code()), (404, "ResourceNotFoundException"));
        Ok(())
    }
}

/// What `more.tf` reads.
fn read(memory: &str, colour: &str, resource: &Value) -> Value {
    json!({
        "invocation": [memory, colour, "layer"], "resource": resource, "latest": colour, "live": "live",
        "is_listed": true, "alias": colour, "url_is_it": true, "signing": colour, "layer_is_it": true,
    })
}

#[test]
fn terraform_applies_updates_and_destroys() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let code = package::files(&[("app.py", HANDLER)]);
    let layer = python::layer();
    let files: &[(&str, &[u8])] = &[
        ("main.tf", MAIN.as_bytes()),
        ("more.tf", MORE.as_bytes()),
        ("function.zip", &code),
        ("layer.zip", &layer),
    ];
    let Some(terraform) = Terraform::new(&server, "terraform-life", files)? else { return Ok(()) };
    terraform.apply("")?;
    let made = json!({ "colour": "red", "tf": { "action": "create", "prev_input": null } });
    assert_eq!(terraform.json("output -json read")?, read("128", "red", &made));
    imports(&terraform, files)?;

    let changed = "-var memory=256 -var colour=blue -var retries=1";
    terraform.run(&format!("apply -auto-approve -input=false {changed}"))?;
    // The alias has moved, and its environments with it.
    until("what is provisioned is ready", || {
        let name = terraform.name;
        let path = format!("/2019-09-30/functions/{name}/provisioned-concurrency?Qualifier=live");
        let status = server.api.call("GET", &path, None)?;
        Ok((status.json()?["Status"] == "READY").then_some(()))
    })?;
    terraform.run(&format!("plan -detailed-exitcode -input=false {changed}"))?;
    let previous = json!({ "action": "update", "prev_input": { "colour": "red" } });
    let updated = json!({ "colour": "blue", "tf": previous });
    assert_eq!(terraform.json("output -json read")?, read("256", "blue", &updated));
    terraform.destroy(changed)
}

/// Another state that imports all of it: only what an import does not know is changed, and nothing is replaced.
fn imports(made: &Terraform<'_>, files: &[(&str, &[u8])]) -> Result<()> {
    let files = [files, &[("import.tf", IMPORT.as_bytes())]].concat();
    let Some(mut other) = Terraform::new(made.server, made.name, &files)? else { return Ok(()) };
    for output in ["layer", "mapping", "signing"] {
        let value = made.json(&format!("output -json {output}"))?;
        other.variables.push((format!("TF_VAR_{output}"), value.as_str().unwrap_or_default().to_owned()));
    }
    other.run("plan -input=false -out plan")?;
    let plan = other.json("show -json plan")?;
    let mut imported = 0;
    for change in plan["resource_changes"].as_array().into_iter().flatten() {
        let (address, change) = (change["address"].as_str().unwrap_or_default(), &change["change"]);
        if change["importing"].is_null() {
            continue;
        }
        imported += 1;
        let known = change["after"].as_object().into_iter().flatten();
        let different: Vec<_> = known
            .filter(|(name, now)| change["before"][name] != **now)
            .map(|(name, _)| name.as_str())
            .collect();
        match address {
            "aws_lambda_function.it" => {
                assert_eq!(different, ["filename", "publish", "source_code_hash"], "{change}");
            }
            // Its version may be another one after a change of the function.
            "aws_lambda_alias.it" => assert!(different.is_empty(), "{change}"),
            _ => assert_eq!(change["actions"], json!(["no-op"]), "{address} {change}"),
        }
    }
    assert_eq!(imported, IMPORT.matches("import {").count());
    other.apply("")
}

#[test]
fn terraform_takes_code_from_s3_and_images() -> Result<()> {
    let Some(s3) = S3Server::start()? else { return Ok(()) };
    let Some(server) = TestServer::start_with(&["--s3-endpoint", &s3.url])? else { return Ok(()) };
    let zip = |text: &str| {
        let code = format!("import layer\ndef handler(e, c):\n    return [{text:?}, layer.text]\n");
        package::files(&[("app.py", &code)])
    };
    let (first, second, layer) = (zip("first"), zip("second"), python::layer());
    let files: &[(&str, &[u8])] =
        &[("main.tf", S3.as_bytes()), ("first.zip", &first), ("second.zip", &second), ("layer.zip", &layer)];
    let found = Terraform::new(&server, "terraform-s3", files)?;
    let Some(mut terraform) = found else { return Ok(()) };
    terraform.variables.push(("AWS_ENDPOINT_URL_S3".to_owned(), s3.url.clone()));
    terraform.apply("")?;
    assert_eq!(terraform.invoke()?, json!(["first", "layer"]));
    let changed = "-var code=second -var tag=two";
    terraform.apply(changed)?;
    assert_eq!(terraform.invoke()?, json!(["second", "layer"]));
    let image = server.api.call("GET", "/2015-03-31/functions/terraform-s3-image", None)?.json()?;
    assert_eq!(image["Code"]["ImageUri"], "000000000000.dkr.ecr.us-east-1.amazonaws.com/app:two");
    terraform.destroy(changed)
}

/// What a block leaves behind would be in the second plan.
#[test]
fn terraform_takes_every_optional_block_away() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let (code, layer) = (package::files(&[("app.py", HANDLER)]), python::layer());
    let files: &[(&str, &[u8])] =
        &[("main.tf", BLOCKS.as_bytes()), ("function.zip", &code), ("layer.zip", &layer)];
    let Some(terraform) = Terraform::new(&server, "terraform-blocks", files)? else { return Ok(()) };
    terraform.apply("")?;
    terraform.apply("-var full=false")?;
    terraform.destroy("-var full=false")
}
