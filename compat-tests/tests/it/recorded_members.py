"""Calls each operation of recorded_members.json and looks for the members that AWS's answers always had.

A member of a structure is wanted where the structure is there; one of a list's elements in each element.
"""
import io, json, re, sys, time, uuid, zipfile
import boto3
from botocore.config import Config

lam = boto3.client("lambda", config=Config(retries={"max_attempts": 0}))
mark = uuid.uuid4().hex[:8]
seen, statuses = {}, {}


def record(http_response, parsed, model, **_):
    if http_response.status_code < 300:
        statuses.setdefault(model.name, set()).add(http_response.status_code)
        body = {key: value for key, value in parsed.items() if key != "ResponseMetadata"}
        seen.setdefault(model.name, []).append(body)


lam.meta.events.register("after-call.lambda", record)


def package(text):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", text)
    return buffer.getvalue()


def settle(name):
    for waiter in ["function_active_v2", "function_updated_v2"]:
        lam.get_waiter(waiter).wait(FunctionName=name, WaiterConfig={"Delay": 0.05})


name, layer = f"members-{mark}", f"layer-{mark}"
role = "arn:aws:iam::000000000000:role/r"
lam.publish_layer_version(LayerName=layer, Content={"ZipFile": package("x = 1")}, Description="d", LicenseInfo="MIT",
                          CompatibleRuntimes=["python3.11"], CompatibleArchitectures=["x86_64"])
published = lam.get_layer_version(LayerName=layer, VersionNumber=1)
lam.get_layer_version_by_arn(Arn=published["LayerVersionArn"])
lam.list_layer_versions(LayerName=layer)
lam.add_layer_version_permission(LayerName=layer, VersionNumber=1, StatementId="s", Principal="*",
                                 Action="lambda:GetLayerVersion")
lam.get_layer_version_policy(LayerName=layer, VersionNumber=1)
lam.remove_layer_version_permission(LayerName=layer, VersionNumber=1, StatementId="s")

made = lam.create_function(
    FunctionName=name, Runtime="python3.11", Handler="index.handler", Role=role, Description="d", Tags={"a": "b"},
    Code={"ZipFile": package("def handler(e, c): return e")}, Environment={"Variables": {"AB": "c"}},
    DeadLetterConfig={"TargetArn": "arn:aws:sqs:us-east-1:000000000000:q"}, LoggingConfig={"LogFormat": "JSON"},
    VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}, Layers=[published["LayerVersionArn"]])
arn = made["FunctionArn"]
settle(name)
image = f"{name}-image"
lam.create_function(FunctionName=image, Role=role, PackageType="Image", Code={"ImageUri": "registry.example/a:1"},
                    ImageConfig={"Command": ["a.b"], "EntryPoint": ["/e"], "WorkingDirectory": "/w"})
settle(image)
lam.get_function(FunctionName=image)
lam.delete_function(FunctionName=image)
lam.get_account_settings()
lam.update_function_configuration(FunctionName=name, Description="e")
settle(name)
lam.update_function_code(FunctionName=name, ZipFile=package("def handler(e, c): return [e]"))
settle(name)
lam.publish_version(FunctionName=name, Description="one")
lam.update_function_code(FunctionName=name, ZipFile=package("def handler(e, c): return [e, e]"))
settle(name)
lam.publish_version(FunctionName=name)
lam.list_versions_by_function(FunctionName=name)
lam.create_alias(FunctionName=name, Name="live", FunctionVersion="1", Description="d",
                 RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
lam.update_alias(FunctionName=name, Name="live", FunctionVersion="2", RoutingConfig={})
lam.get_alias(FunctionName=name, Name="live")
lam.list_aliases(FunctionName=name)
lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
lam.get_function_concurrency(FunctionName=name)
lam.get_function(FunctionName=name)
lam.get_function_configuration(FunctionName=name)
lam.invoke(FunctionName=name, Payload="{}", LogType="Tail")
lam.add_permission(FunctionName=name, StatementId="s", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")
lam.get_policy(FunctionName=name)
lam.remove_permission(FunctionName=name, StatementId="s")
lam.tag_resource(Resource=arn, Tags={"c": "d"})
lam.list_tags(Resource=arn)
lam.untag_resource(Resource=arn, TagKeys=["c"])
lam.put_provisioned_concurrency_config(FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=1)
while lam.get_provisioned_concurrency_config(FunctionName=name, Qualifier="live")["Status"] == "IN_PROGRESS":
    time.sleep(0.05)
lam.list_provisioned_concurrency_configs(FunctionName=name)
lam.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
lam.delete_function_concurrency(FunctionName=name)
lam.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
lam.get_function_recursion_config(FunctionName=name)
lam.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1, MaximumEventAgeInSeconds=60)
lam.update_function_event_invoke_config(
    FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": "arn:aws:sqs:us-east-1:000000000000:q"}})
lam.get_function_event_invoke_config(FunctionName=name)
lam.list_function_event_invoke_configs(FunctionName=name)
lam.delete_function_event_invoke_config(FunctionName=name)
lam.create_function_url_config(FunctionName=name, AuthType="NONE")
lam.update_function_url_config(FunctionName=name, AuthType="AWS_IAM")
lam.get_function_url_config(FunctionName=name)
lam.list_function_url_configs(FunctionName=name)
lam.delete_function_url_config(FunctionName=name)
publishers = {"SigningProfileVersionArns": ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij"]}
config = lam.create_code_signing_config(AllowedPublishers=publishers, Description="d")["CodeSigningConfig"]
config = config["CodeSigningConfigArn"]
lam.update_code_signing_config(CodeSigningConfigArn=config, Description="e")
lam.get_code_signing_config(CodeSigningConfigArn=config)
lam.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=config)
lam.get_function_code_signing_config(FunctionName=name)
lam.list_functions_by_code_signing_config(CodeSigningConfigArn=config)
lam.delete_function_code_signing_config(FunctionName=name)
lam.delete_code_signing_config(CodeSigningConfigArn=config)


def mapping(arn, **more):
    made = lam.create_event_source_mapping(FunctionName=name, EventSourceArn=arn, **more)
    while lam.get_event_source_mapping(UUID=made["UUID"])["State"] != "Enabled":
        time.sleep(0.05)
    return made["UUID"]


queue = mapping("arn:aws:sqs:us-east-1:000000000000:q", FilterCriteria={"Filters": [{"Pattern": '{"body": ["a"]}'}]},
                ScalingConfig={"MaximumConcurrency": 2})
stream = mapping("arn:aws:kinesis:us-east-1:000000000000:stream/s", StartingPosition="LATEST",
                 DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:q"}})
lam.list_event_source_mappings(EventSourceArn="arn:aws:kinesis:us-east-1:000000000000:stream/s")
lam.update_event_source_mapping(UUID=stream, BatchSize=50)
while lam.get_event_source_mapping(UUID=stream)["State"] != "Enabled":
    time.sleep(0.05)
lam.delete_event_source_mapping(UUID=stream)
lam.delete_alias(FunctionName=name, Name="live")
lam.delete_function(FunctionName=name)
lam.delete_layer_version(LayerName=layer, VersionNumber=1)


def missing(value, path):
    """Whether the last part of the path is not in the structure, or in each element, that the parts before lead to."""
    head, _, rest = path.partition(".")
    key = head.removesuffix("[]")
    if not isinstance(value, dict) or key not in value:
        return not rest and not head.endswith("[]")
    if not head.endswith("[]"):
        return bool(rest) and missing(value[key], rest)
    return any(missing(element, rest) for element in value[key]) if rest else False


wrong = []
for operation, wanted in json.load(open("recorded_members.json")).items():
    if operation not in seen:
        wrong.append(f"{operation}: not called")
        continue
    if not statuses[operation] <= set(wanted["status"]):
        wrong.append(f"{operation}: status {statuses[operation]}, recorded {wanted['status']}")
    for path in wanted["always"]:
        if path == "StatusCode":
            continue  # the HTTP status, which boto3 repeats
        if any(missing(answer, path) for answer in seen[operation]):
            wrong.append(f"{operation}: {path} is missing")
print(f"{len(seen)} operations called")
print("\n".join(wrong))
sys.exit(1 if wrong else 0)
