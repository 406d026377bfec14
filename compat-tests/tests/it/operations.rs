//! Every operation of the wire table, sent once with the smallest input that its model allows.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use lambd_compat_tests::api::ApiRequest;
use lambd_compat_tests::http::HttpResponse;
use lambd_compat_tests::{FunctionSpec, TestServer, tools};
use percent_encoding::utf8_percent_encode;
use serde_json::{Map, Value, json};

/// The table that the server's own routes are generated from.
const TABLE: &str = include_str!("../../../server/wire/model/lambda.tbl");
const OPERATIONS: usize = 91;
/// The operations that exist here; all others are refused by their name.
const IMPLEMENTED: [&str; 90] = [
    "AddLayerVersionPermission",
    "AddPermission",
    "CheckpointDurableExecution",
    "CreateAlias",
    "CreateCapacityProvider",
    "CreateCodeSigningConfig",
    "CreateEventSourceMapping",
    "CreateFunction",
    "CreateFunctionUrlConfig",
    "DeleteAlias",
    "DeleteCapacityProvider",
    "DeleteCodeSigningConfig",
    "DeleteDurableExecution",
    "DeleteEventSourceMapping",
    "DeleteFunction",
    "DeleteFunctionCodeSigningConfig",
    "DeleteFunctionConcurrency",
    "DeleteFunctionEventInvokeConfig",
    "DeleteFunctionUrlConfig",
    "DeleteLayerVersion",
    "DeleteProvisionedConcurrencyConfig",
    "DeleteResourcePolicy",
    "GetAccountSettings",
    "GetAlias",
    "GetCapacityProvider",
    "GetCodeSigningConfig",
    "GetDurableExecution",
    "GetDurableExecutionHistory",
    "GetDurableExecutionState",
    "GetEventSourceMapping",
    "GetFunction",
    "GetFunctionCodeSigningConfig",
    "GetFunctionConcurrency",
    "GetFunctionConfiguration",
    "GetFunctionEventInvokeConfig",
    "GetFunctionRecursionConfig",
    "GetFunctionScalingConfig",
    "GetFunctionUrlConfig",
    "GetLayerVersion",
    "GetLayerVersionByArn",
    "GetLayerVersionPolicy",
    "GetPolicy",
    "GetProvisionedConcurrencyConfig",
    "GetResourcePolicy",
    "GetRuntimeManagementConfig",
    "Invoke",
    "InvokeWithResponseStream",
    "ListAliases",
    "ListCapacityProviders",
    "ListCodeSigningConfigs",
    "ListDurableExecutionsByFunction",
    "ListEventSourceMappings",
    "ListFunctionEventInvokeConfigs",
    "ListFunctionUrlConfigs",
    "ListFunctionVersionsByCapacityProvider",
    "ListFunctions",
    "ListFunctionsByCodeSigningConfig",
    "ListLayerVersions",
    "ListLayers",
    "ListProvisionedConcurrencyConfigs",
    "ListTags",
    "ListVersionsByFunction",
    "PauseDurableExecution",
    "PublishLayerVersion",
    "PublishVersion",
    "PutFunctionCodeSigningConfig",
    "PutFunctionConcurrency",
    "PutFunctionEventInvokeConfig",
    "PutFunctionRecursionConfig",
    "PutFunctionScalingConfig",
    "PutProvisionedConcurrencyConfig",
    "PutResourcePolicy",
    "PutRuntimeManagementConfig",
    "RemoveLayerVersionPermission",
    "RemovePermission",
    "ResumeDurableExecution",
    "SendDurableExecutionCallbackFailure",
    "SendDurableExecutionCallbackHeartbeat",
    "SendDurableExecutionCallbackSuccess",
    "StopDurableExecution",
    "TagResource",
    "UntagResource",
    "UpdateAlias",
    "UpdateCapacityProvider",
    "UpdateCodeSigningConfig",
    "UpdateEventSourceMapping",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
    "UpdateFunctionEventInvokeConfig",
    "UpdateFunctionUrlConfig",
];

/// A line of the table: its kind, its name, and the rest.
type Line = Vec<String>;

struct Table {
    operations: Vec<Line>,
    shapes: BTreeMap<String, Line>,
    /// Required members of each structure.
    required: BTreeMap<String, Vec<Line>>,
}

impl Table {
    fn read() -> Self {
        let mut table = Self { operations: Vec::new(), shapes: BTreeMap::new(), required: BTreeMap::new() };
        let mut structure = String::new();
        for line in TABLE.lines() {
            let line: Line = line.split('\t').map(str::to_owned).collect();
            let (Some(kind), Some(name)) = (line.first(), line.get(1)) else { continue };
            match kind.as_str() {
                "operation" => table.operations.push(line),
                "member" if line.iter().any(|w| w == "required") => {
                    table.required.entry(structure.clone()).or_default().push(line);
                }
                "member" | "error" => {}
                _ => {
                    structure.clone_from(name);
                    table.shapes.insert(name.clone(), line);
                }
            }
        }
        table
    }

    /// The smallest value of a shape that its constraints accept.
    fn value(&self, shape: &str) -> Result<Value> {
        if let Some(text) = example(shape) {
            return Ok(json!(text));
        }
        let line = self.shapes.get(shape).with_context(|| format!("no shape {shape}"))?;
        let word = |key: &str| line.iter().find_map(|w| w.strip_prefix(key));
        Ok(match line.first().map(String::as_str) {
            Some("structure") => Value::Object(self.members(shape, |_| true)?),
            Some("list") => json!([self.value(line.get(2).context("a list of nothing")?)?]),
            Some("map") => json!({}),
            Some("boolean") => json!(true),
            Some("integer" | "long") => json!(word("min=").unwrap_or("1").parse::<i64>()?.max(1)),
            Some("double" | "timestamp") => json!(1),
            Some("string") => {
                json!(word("enum=").and_then(|e| e.split(',').next()).unwrap_or("xxxxxxxxxxxx"))
            }
            Some("blob") => json!("eA=="),
            other => anyhow::bail!("{shape} is {other:?}"),
        })
    }

    fn members(&self, structure: &str, pick: impl Fn(&Line) -> bool) -> Result<Map<String, Value>> {
        let required = self.required.get(structure).map(Vec::as_slice).unwrap_or_default();
        let picked = required.iter().filter(|line| pick(line));
        picked.map(|line| Ok((line[1].clone(), self.value(&line[2])?))).collect()
    }

    fn request(&self, operation: &[String], function: &str) -> Result<ApiRequest> {
        let [_, name, method, uri, _, input, ..] = operation else { anyhow::bail!("{operation:?}") };
        let bound = |line: &Line| line.iter().skip(3).any(|w| w == "label" || w.starts_with("query="));
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let encode = |text: &str| utf8_percent_encode(text, lambd_compat_tests::sigv4::QUERY).to_string();
        let mut target = uri.clone();
        for line in self.required.get(input).into_iter().flatten().filter(|line| bound(line)) {
            let value = match line[1].as_str() {
                "FunctionName" => function.to_owned(),
                "Resource" => format!("arn:aws:lambda:us-east-1:000000000000:function:{function}"),
                _ => text(&self.value(&line[2])?).trim_matches(['[', ']', '"']).to_owned(),
            };
            match line.iter().find_map(|w| w.strip_prefix("query=")) {
                Some(key) => {
                    let separator = if target.contains('?') { '&' } else { '?' };
                    target.push_str(&format!("{separator}{key}={}", encode(&value)));
                }
                None => target = target.replace(&format!("{{{}}}", line[1]), &encode(&value)),
            }
        }
        let body = self.members(input, |line| !bound(line))?;
        let body = match name.as_str() {
            "InvokeAsync" => "{}".to_owned(),
            _ if body.is_empty() && (method == "GET" || method == "DELETE") => String::new(),
            _ => Value::Object(body).to_string(),
        };
        Ok(ApiRequest::new(method, &target).body(body).header("content-type", "application/json"))
    }
}

/// Examples for strings whose pattern does not accept a plain word.
fn example(shape: &str) -> Option<&'static str> {
    Some(match shape {
        "Action" => "lambda:InvokeFunction",
        "Arn" | "ResourceArn" | "PolicyResourceArn" | "TaggableResource" => {
            "arn:aws:lambda:us-east-1:000000000000:function:absent"
        }
        "CodeSigningConfigArn" => {
            "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0"
        }
        "DurableExecutionArn" => {
            "arn:aws:lambda:us-east-1:000000000000:function:absent:1/durable-execution/name/id"
        }
        "LayerPermissionAllowedAction" => "lambda:GetLayerVersion",
        "LayerPermissionAllowedPrincipal" => "*",
        "LayerVersionArn" => "arn:aws:lambda:us-east-1:000000000000:layer:absent:1",
        "RoleArn" => "arn:aws:iam::000000000000:role/test",
        "SecurityGroupId" => "sg-0",
        "SubnetId" => "subnet-0",
        "PublishedFunctionQualifier" | "Version" | "VersionWithLatestPublished" => "1",
        "ResourcePolicy" => "{}",
        _ => return None,
    })
}

fn readable(name: &str, answer: &HttpResponse) -> Result<()> {
    if (200..300).contains(&answer.status) {
        return Ok(());
    }
    ensure!((400..500).contains(&answer.status), "{name}: {} {}", answer.status, answer.text());
    ensure!(!answer.code().is_empty(), "{name}: no x-amzn-ErrorType");
    ensure!(answer.json()?.is_object() && !answer.message().is_empty(), "{name}: {}", answer.text());
    Ok(())
}

#[test]
fn each_operation_is_answered_or_refused_by_its_name() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let table = Table::read();
    assert_eq!(table.operations.len(), OPERATIONS);
    let mut implemented = Vec::new();
    for operation in &table.operations {
        let function = FunctionSpec::bootstrap()?.create(&server.api)?; // of its own: some of them delete it
        let name = operation[1].as_str();
        let answer =
            server.api.send(&table.request(operation, &function.name)?).with_context(|| name.to_owned())?;
        readable(name, &answer)?;
        if answer.code() != "UnsupportedOperationException" {
            implemented.push(name);
        }
    }
    tools::say(&format!("{} of {OPERATIONS} operations: {}", implemented.len(), implemented.join(", ")));
    implemented.sort_unstable();
    assert_eq!(implemented, IMPLEMENTED);
    Ok(())
}
