//! Terraform with the AWS provider from an offline mirror.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};
use lambd_compat_tests::function::ROLE;
use lambd_compat_tests::wait::until;
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
  layers  = [aws_lambda_layer_version.it.arn]
  code_signing_config_arn = aws_lambda_code_signing_config.it.arn
}
resource "aws_lambda_layer_version" "it" {
  layer_name          = "NAME"
  description         = var.colour
  license_info        = "MIT"
  filename            = "layer.zip"
  compatible_runtimes = ["python3.11"]
}
resource "aws_lambda_layer_version_permission" "it" {
  layer_name     = aws_lambda_layer_version.it.layer_name
  version_number = aws_lambda_layer_version.it.version
  statement_id   = "other"
  action         = "lambda:GetLayerVersion"
  principal      = "111111111111"
}
data "aws_lambda_layer_version" "newest" {
  layer_name         = aws_lambda_layer_version.it.layer_name
  compatible_runtime = "python3.11"
}
resource "aws_lambda_code_signing_config" "it" {
  description = var.colour
  allowed_publishers {
    signing_profile_version_arns = ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij"]
  }
  tags = { colour = var.colour }
}
resource "aws_lambda_event_source_mapping" "it" {
  event_source_arn = "arn:aws:sqs:us-east-1:000000000000:terraform"
  function_name    = aws_lambda_alias.it.arn
  batch_size       = var.memory / 32
  filter_criteria {
    filter { pattern = jsonencode({ body = { n = [{ numeric = [">", 0] }] } }) }
  }
  scaling_config { maximum_concurrency = 2 }
  tags = { colour = var.colour }
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
variable "retries" { default = 0 }
resource "aws_lambda_function_event_invoke_config" "it" {
  function_name          = aws_lambda_function.it.function_name
  qualifier              = aws_lambda_alias.it.name
  maximum_retry_attempts = var.retries
  destination_config {
    on_failure { destination = "arn:aws:sqs:us-east-1:000000000000:failures" }
  }
}
resource "aws_lambda_function_url" "it" {
  function_name      = aws_lambda_function.it.function_name
  qualifier          = aws_lambda_alias.it.name
  authorization_type = "AWS_IAM"
  cors {
    allow_origins = [var.colour]
    max_age       = 60
  }
}
resource "aws_lambda_provisioned_concurrency_config" "it" {
  function_name                     = aws_lambda_function.it.function_name
  qualifier                         = aws_lambda_alias.it.name
  provisioned_concurrent_executions = 1
}
resource "aws_lambda_runtime_management_config" "it" {
  function_name     = aws_lambda_function.it.function_name
  update_runtime_on = "FunctionUpdate"
}
resource "aws_lambda_function_recursion_config" "it" {
  function_name  = aws_lambda_function.it.function_name
  recursive_loop = "Allow"
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
    let code = "import os, layer\ndef handler(e, c):\n    return [c.memory_limit_in_mb, os.environ['COLOUR'], layer.text]\n";
    let layer = package::files(&[("python/layer.py", "text = 'layer'")]);
    std::fs::write(dir.path().join("layer.zip"), layer)?;
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
    let provisioned = || {
        let path = format!("/2019-09-30/functions/{NAME}/provisioned-concurrency?Qualifier=live");
        let status = server.api.call("GET", &path, None)?;
        Ok((status.json()?["Status"] == "READY").then_some(()))
    };
    terraform.run("init")?;
    terraform.run("apply -auto-approve")?;
    assert_eq!(invoke()?, json!(["128", "red", "layer"]));
    terraform.run("plan -detailed-exitcode")?; // exit code 2 if the plan is not empty
    terraform.run("apply -auto-approve -var memory=256 -var colour=blue -var retries=1")?;
    assert_eq!(invoke()?, json!(["256", "blue", "layer"]));
    // The alias has moved, and its environments with it.
    until("what is provisioned is ready", provisioned)?;
    terraform.run("plan -detailed-exitcode -var memory=256 -var colour=blue -var retries=1")?;
    terraform.run("destroy -auto-approve")?;
    let gone = server.api.call("GET", &format!("/2015-03-31/functions/{NAME}"), None)?;
    assert_eq!((gone.status, gone.code()), (404, "ResourceNotFoundException"));
    Ok(())
}
