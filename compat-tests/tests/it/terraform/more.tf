# What reads and runs, and the outputs that an import needs.
resource "aws_lambda_invocation" "it" {
  function_name   = aws_lambda_function.it.function_name
  qualifier       = aws_lambda_alias.it.name
  input           = jsonencode({ colour = var.colour })
  lifecycle_scope = "CRUD"
}
ephemeral "aws_lambda_invocation" "it" {
  function_name = aws_lambda_function.it.arn # not known before the first apply: it runs as soon as it can
  payload       = jsonencode([1])            # provider 5.100 accepts only an answer that is the payload
}
data "aws_lambda_invocation" "it" {
  function_name = aws_lambda_function.it.function_name
  input         = jsonencode({})
}
data "aws_lambda_function" "it" {
  function_name = aws_lambda_function.it.function_name
}
data "aws_lambda_function" "live" {
  function_name = aws_lambda_function.it.function_name
  qualifier     = aws_lambda_alias.it.name
}
data "aws_lambda_functions" "all" {
  depends_on = [aws_lambda_function.it]
}
data "aws_lambda_alias" "it" {
  function_name = aws_lambda_function.it.function_name
  name          = aws_lambda_alias.it.name
}
data "aws_lambda_function_url" "it" {
  function_name = aws_lambda_function.it.function_name
  qualifier     = aws_lambda_function_url.it.qualifier
}
data "aws_lambda_code_signing_config" "it" {
  arn = aws_lambda_code_signing_config.it.arn
}
output "read" {
  value = {
    invocation  = jsondecode(data.aws_lambda_invocation.it.result)
    resource    = jsondecode(aws_lambda_invocation.it.result)
    latest      = data.aws_lambda_function.it.environment[0].variables.COLOUR
    live        = data.aws_lambda_function.live.qualifier
    is_listed   = contains(data.aws_lambda_functions.all.function_names, var.name)
    alias       = data.aws_lambda_alias.it.description
    url_is_it   = data.aws_lambda_function_url.it.function_url == aws_lambda_function_url.it.function_url
    signing     = data.aws_lambda_code_signing_config.it.description
    layer_is_it = data.aws_lambda_layer_version.newest.arn == aws_lambda_layer_version.it.arn
  }
}
output "layer" { value = aws_lambda_layer_version.it.arn }
output "mapping" { value = aws_lambda_event_source_mapping.it.uuid }
output "signing" { value = aws_lambda_code_signing_config.it.arn }
