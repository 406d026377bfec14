terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  skip_metadata_api_check = true
}
variable "name" {}
variable "memory" { default = 128 }
variable "colour" { default = "red" }
resource "aws_lambda_function" "it" {
  function_name    = var.name
  role             = "arn:aws:iam::000000000000:role/test"
  runtime          = "python3.11"
  handler          = "app.handler"
  filename         = "function.zip"
  source_code_hash = filebase64sha256("function.zip")
  memory_size      = var.memory
  environment { variables = { COLOUR = var.colour, EMPTY = "" } }
  tags                    = { colour = var.colour }
  publish                 = true
  layers                  = [aws_lambda_layer_version.it.arn]
  code_signing_config_arn = aws_lambda_code_signing_config.it.arn
}
resource "aws_lambda_layer_version" "it" {
  layer_name          = var.name
  description         = var.colour
  license_info        = "MIT"
  filename            = "layer.zip"
  compatible_runtimes = ["python3.11"]
  lifecycle { ignore_changes = [filename] } # an import does not know it, and it asks for a replacement
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
  qualifier         = "$LATEST"
  update_runtime_on = "FunctionUpdate"
}
resource "aws_lambda_function_recursion_config" "it" {
  function_name  = aws_lambda_function.it.function_name
  recursive_loop = "Allow"
}
