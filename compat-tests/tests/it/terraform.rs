//! Terraform with the AWS provider from an offline mirror.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};
use lambd_compat_tests::function::ROLE;
use lambd_compat_tests::{TestServer, package, tools};
use serde_json::{Value, json};
use tempfile::TempDir;

const NAME: &str = "terraform-life";
const MAIN: &str = r#"
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  skip_metadata_api_check     = true
}
variable "memory" { default = 128 }
variable "colour" { default = "red" }
resource "aws_lambda_function" "it" {
  function_name    = "NAME"
  role             = "ROLE"
  runtime          = "python3.11"
  handler          = "app.handler"
  filename         = "function.zip"
  source_code_hash = filebase64sha256("function.zip")
  memory_size      = var.memory
  environment { variables = { COLOUR = var.colour, EMPTY = "" } }
  tags = { colour = var.colour }
  publish = true
}
resource "aws_lambda_alias" "it" {
  name             = "live"
  description      = var.colour
  function_name    = aws_lambda_function.it.function_name
  function_version = aws_lambda_function.it.version
}
resource "aws_lambda_permission" "it" {
  statement_id   = "bucket"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.it.function_name
  qualifier      = aws_lambda_alias.it.name
  principal      = "s3.amazonaws.com"
  source_arn     = "arn:aws:s3:::bucket"
  source_account = "111111111111"
}
"#;

struct Terraform<'s> {
    program: PathBuf,
    server: &'s TestServer,
    dir: TempDir,
}

impl Terraform<'_> {
    fn command(&self, line: &str) -> Command {
        let mut terraform = tools::command(&self.program);
        tools::point_at(&mut terraform, self.server)
            .current_dir(self.dir.path())
            .env("TF_CLI_CONFIG_FILE", self.dir.path().join("mirror.tfrc"))
            .env("CHECKPOINT_DISABLE", "1")
            .args(line.split_whitespace())
            .args(["-no-color", "-input=false"]);
        terraform
    }

    fn run(&self, line: &str) -> Result<()> {
        tools::run(&mut self.command(line)).map(drop)
    }
}

#[test]
fn terraform_applies_updates_and_destroys() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let found = tools::need("terraform or its provider mirror", tools::terraform())?;
    let Some((program, mirror)) = found else { return Ok(()) };
    server.install("python3.11")?;
    let dir = tempfile::tempdir()?;
    let mirror =
        format!("provider_installation {{\n  filesystem_mirror {{\n    path = {mirror:?}\n  }}\n}}\n");
    std::fs::write(dir.path().join("mirror.tfrc"), mirror)?;
    std::fs::write(dir.path().join("main.tf"), MAIN.replace("NAME", NAME).replace("ROLE", ROLE))?;
    let code = "import os\ndef handler(e, c):\n    return [c.memory_limit_in_mb, os.environ['COLOUR']]\n";
    std::fs::write(dir.path().join("function.zip"), package::files(&[("app.py", code)]))?;
    let terraform = Terraform { program, server: &server, dir };

    let invoke = || -> Result<Value> {
        let answer = server.api.call(
            "POST",
            &format!("/2015-03-31/functions/{NAME}/invocations"),
            Some(&json!({})),
        )?;
        ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
        answer.json()
    };
    terraform.run("init")?;
    terraform.run("apply -auto-approve")?;
    assert_eq!(invoke()?, json!(["128", "red"]));
    terraform.run("plan -detailed-exitcode")?; // exit code 2 if the plan is not empty
    terraform.run("apply -auto-approve -var memory=256 -var colour=blue")?;
    assert_eq!(invoke()?, json!(["256", "blue"]));
    terraform.run("plan -detailed-exitcode -var memory=256 -var colour=blue")?;
    terraform.run("destroy -auto-approve")?;
    let gone = server.api.call("GET", &format!("/2015-03-31/functions/{NAME}"), None)?;
    assert_eq!((gone.status, gone.code()), (404, "ResourceNotFoundException"));
    Ok(())
}
