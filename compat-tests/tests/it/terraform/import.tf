variable "layer" {}
variable "mapping" {}
variable "signing" {}
import {
  to = aws_lambda_function.it
  id = var.name
}
import {
  to = aws_lambda_layer_version.it
  id = var.layer
}
import {
  to = aws_lambda_layer_version_permission.it
  id = "${var.name},1"
}
import {
  to = aws_lambda_code_signing_config.it
  id = var.signing
}
import {
  to = aws_lambda_event_source_mapping.it
  id = var.mapping
}
import {
  to = aws_lambda_alias.it
  id = "${var.name}/live"
}
import {
  to = aws_lambda_permission.it
  id = "${var.name}:live/bucket"
}
import {
  to = aws_lambda_function_event_invoke_config.it
  id = "${var.name}:live"
}
import {
  to = aws_lambda_function_url.it
  id = "${var.name}/live"
}
import {
  to = aws_lambda_provisioned_concurrency_config.it
  id = "${var.name},live"
}
import {
  to = aws_lambda_runtime_management_config.it
  id = "${var.name},$LATEST"
}
import {
  to = aws_lambda_function_recursion_config.it
  id = var.name
}
