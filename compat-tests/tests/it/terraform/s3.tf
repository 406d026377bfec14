terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  s3_use_path_style           = true
}
variable "name" {}
variable "code" { default = "first" }
variable "tag" { default = "one" }
locals { role = "arn:aws:iam::000000000000:role/test" }
resource "aws_s3_bucket" "it" {
  bucket        = var.name
  force_destroy = true
}
resource "aws_s3_bucket_versioning" "it" {
  bucket = aws_s3_bucket.it.id
  versioning_configuration { status = "Enabled" }
}
resource "aws_s3_object" "code" {
  bucket = aws_s3_bucket_versioning.it.bucket
  key    = "packages/app.zip"
  source = "${var.code}.zip"
  etag   = filemd5("${var.code}.zip")
}
resource "aws_s3_object" "layer" {
  bucket = aws_s3_bucket_versioning.it.bucket
  key    = "layer.zip"
  source = "layer.zip"
}
resource "aws_lambda_layer_version" "it" {
  layer_name = var.name
  s3_bucket  = aws_s3_object.layer.bucket
  s3_key     = aws_s3_object.layer.key
}
resource "aws_lambda_function" "it" {
  function_name     = var.name
  role              = local.role
  runtime           = "python3.11"
  handler           = "app.handler"
  s3_bucket         = aws_s3_object.code.bucket
  s3_key            = aws_s3_object.code.key
  s3_object_version = aws_s3_object.code.version_id
  layers            = [aws_lambda_layer_version.it.arn]
}
# An image is kept and shown; running one is another matter.
resource "aws_lambda_function" "image" {
  function_name = "${var.name}-image"
  role          = local.role
  package_type  = "Image"
  image_uri     = "000000000000.dkr.ecr.us-east-1.amazonaws.com/app:${var.tag}"
  image_config {
    command           = ["app.handler"]
    entry_point       = ["/entry"]
    working_directory = "/var/task"
  }
  logging_config {
    log_format            = "JSON"
    application_log_level = "INFO"
  }
  ephemeral_storage { size = 1024 }
  tracing_config { mode = "Active" }
  dead_letter_config { target_arn = "arn:aws:sqs:us-east-1:000000000000:failures" }
  vpc_config {
    subnet_ids         = ["subnet-0"]
    security_group_ids = ["sg-0"]
  }
  reserved_concurrent_executions = 1
}
