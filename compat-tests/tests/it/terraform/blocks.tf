# Every optional block of functions and mappings, which `full = false` takes away again.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}
variable "name" {}
variable "full" { default = true }
locals {
  it   = var.full ? [1] : []
  role = "arn:aws:iam::000000000000:role/test"
}
resource "aws_lambda_layer_version" "it" {
  layer_name = var.name
  filename   = "layer.zip"
}
resource "aws_lambda_function" "it" {
  function_name                  = var.name
  role                           = local.role
  runtime                        = "python3.12"
  handler                        = "app.handler"
  filename                       = "function.zip"
  publish                        = true
  timeout                        = var.full ? 30 : 5
  description                    = var.full ? "full" : null
  kms_key_arn                    = var.full ? "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-4000-8000-000000000000" : null
  layers                         = var.full ? [aws_lambda_layer_version.it.arn] : []
  reserved_concurrent_executions = var.full ? 5 : -1
  tags                           = var.full ? { a = "b", empty = "" } : {}
  dynamic "dead_letter_config" {
    for_each = local.it
    content { target_arn = "arn:aws:sns:us-east-1:000000000000:failures" }
  }
  dynamic "environment" {
    for_each = local.it
    content { variables = { COLOUR = "red", EMPTY = "" } }
  }
  dynamic "vpc_config" {
    for_each = local.it
    content {
      subnet_ids         = ["subnet-0"]
      security_group_ids = ["sg-0", "sg-1"]
    }
  }
  dynamic "file_system_config" {
    for_each = local.it
    content {
      arn              = "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0"
      local_mount_path = "/mnt/it"
    }
  }
  dynamic "snap_start" {
    for_each = local.it
    content { apply_on = "PublishedVersions" }
  }
  ephemeral_storage { size = var.full ? 1024 : 512 }
  tracing_config { mode = var.full ? "Active" : "PassThrough" }
  logging_config {
    log_format            = var.full ? "JSON" : "Text"
    log_group             = "/aws/lambda/shared"
    application_log_level = var.full ? "DEBUG" : null
    system_log_level      = var.full ? "WARN" : null
  }
}
resource "aws_lambda_function" "other" {
  function_name = "${var.name}-other"
  role          = local.role
  runtime       = "python3.12"
  handler       = "app.handler"
  filename      = "function.zip"
  architectures = [var.full ? "arm64" : "x86_64"]
}
resource "aws_lambda_alias" "it" {
  name             = "live"
  function_name    = aws_lambda_function.other.arn
  function_version = "$LATEST"
}
resource "aws_lambda_permission" "url" {
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = aws_lambda_function.it.arn
  principal              = "*"
  principal_org_id       = "o-0123456789"
  function_url_auth_type = "AWS_IAM"
}
resource "aws_lambda_permission" "skill" {
  action             = "lambda:InvokeFunction"
  function_name      = aws_lambda_function.it.function_name
  principal          = "alexa-appkit.amazon.com"
  event_source_token = var.full ? "amzn1.ask.skill.one" : "amzn1.ask.skill.two"
}
resource "aws_lambda_permission" "role" {
  action        = "lambda:GetFunction"
  function_name = aws_lambda_function.it.function_name
  principal     = "arn:aws:iam::111111111111:role/other"
}
resource "aws_lambda_function_url" "open" {
  function_name      = aws_lambda_function.it.function_name
  authorization_type = "NONE"
  invoke_mode        = var.full ? "RESPONSE_STREAM" : "BUFFERED"
  dynamic "cors" {
    for_each = local.it
    content {
      allow_credentials = true
      allow_origins     = ["https://example.com"]
      allow_methods     = ["GET", "POST"]
      allow_headers     = ["x-one"]
      expose_headers    = ["x-two"]
      max_age           = 60
    }
  }
}
resource "aws_lambda_function_event_invoke_config" "it" {
  function_name                = aws_lambda_function.it.arn
  maximum_event_age_in_seconds = var.full ? 60 : null
  maximum_retry_attempts       = var.full ? 0 : 2
  dynamic "destination_config" {
    for_each = local.it
    content {
      on_success { destination = aws_lambda_function.other.arn }
      on_failure { destination = "arn:aws:sns:us-east-1:000000000000:failures" }
    }
  }
}
resource "aws_lambda_code_signing_config" "it" {
  allowed_publishers {
    signing_profile_version_arns = ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij"]
  }
  policies { untrusted_artifact_on_deployment = var.full ? "Enforce" : "Warn" }
}
resource "aws_lambda_event_source_mapping" "queue" {
  event_source_arn                   = "arn:aws:sqs:us-east-1:000000000000:${var.name}"
  function_name                      = aws_lambda_function.it.arn
  enabled                            = var.full
  function_response_types            = var.full ? ["ReportBatchItemFailures"] : []
  maximum_batching_window_in_seconds = var.full ? 5 : 0
  dynamic "scaling_config" {
    for_each = local.it
    content { maximum_concurrency = 3 }
  }
  dynamic "filter_criteria" {
    for_each = local.it
    content {
      filter { pattern = jsonencode({ body = { n = [{ numeric = [">", 0] }] } }) }
    }
  }
  dynamic "metrics_config" {
    for_each = local.it
    content { metrics = ["EventCount"] }
  }
}
resource "aws_lambda_event_source_mapping" "stream" {
  event_source_arn               = "arn:aws:kinesis:us-east-1:000000000000:stream/${var.name}"
  function_name                  = aws_lambda_function.it.function_name
  starting_position              = "AT_TIMESTAMP"
  starting_position_timestamp    = "2025-01-01T00:00:00Z"
  batch_size                     = var.full ? 50 : 60
  bisect_batch_on_function_error = var.full
  parallelization_factor         = var.full ? 2 : 1
  maximum_record_age_in_seconds  = var.full ? 3600 : -1
  maximum_retry_attempts         = var.full ? 0 : -1
  tumbling_window_in_seconds     = var.full ? 10 : 0
  dynamic "destination_config" {
    for_each = local.it
    content {
      on_failure { destination_arn = "arn:aws:sqs:us-east-1:000000000000:failures" }
    }
  }
}
resource "aws_lambda_event_source_mapping" "table" {
  event_source_arn  = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2025-01-01T00:00:00.000"
  function_name     = aws_lambda_function.it.function_name
  starting_position = "TRIM_HORIZON"
}
resource "aws_lambda_event_source_mapping" "kafka" {
  function_name     = aws_lambda_function.it.arn
  topics            = ["orders"]
  starting_position = "LATEST"
  self_managed_event_source {
    endpoints = { KAFKA_BOOTSTRAP_SERVERS = "one.example.com:9092,two.example.com:9092" }
  }
  self_managed_kafka_event_source_config { consumer_group_id = "group" }
  source_access_configuration {
    type = "VPC_SUBNET"
    uri  = "subnet:subnet-0"
  }
  source_access_configuration {
    type = "VPC_SECURITY_GROUP"
    uri  = "security_group:sg-0"
  }
  dynamic "provisioned_poller_config" {
    for_each = local.it
    content {
      minimum_pollers = 1
      maximum_pollers = 5
    }
  }
}
resource "aws_lambda_event_source_mapping" "msk" {
  event_source_arn  = "arn:aws:kafka:us-east-1:000000000000:cluster/c/00000000-0000-4000-8000-000000000000-1"
  function_name     = aws_lambda_function.it.arn
  topics            = ["orders"]
  starting_position = "TRIM_HORIZON"
  amazon_managed_kafka_event_source_config { consumer_group_id = "group" }
}
resource "aws_lambda_event_source_mapping" "broker" {
  event_source_arn = "arn:aws:mq:us-east-1:000000000000:broker:b:b-00000000-0000-4000-8000-000000000000"
  function_name    = aws_lambda_function.it.arn
  queues           = ["orders"]
  source_access_configuration {
    type = "BASIC_AUTH"
    uri  = "arn:aws:secretsmanager:us-east-1:000000000000:secret:broker"
  }
}
resource "aws_lambda_event_source_mapping" "documents" {
  event_source_arn  = "arn:aws:rds:us-east-1:000000000000:cluster:documents"
  function_name     = aws_lambda_function.it.arn
  starting_position = "LATEST"
  document_db_event_source_config {
    database_name   = "db"
    collection_name = "c"
    full_document   = var.full ? "UpdateLookup" : "Default"
  }
  source_access_configuration {
    type = "BASIC_AUTH"
    uri  = "arn:aws:secretsmanager:us-east-1:000000000000:secret:documents"
  }
}
