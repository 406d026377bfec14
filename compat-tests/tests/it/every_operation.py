"""Every operation of the service model as a command of the AWS CLI, version 1, run in this process.

Arguments are the required members of the operation's input, with the values below, and what a step adds. An answer must
have every member that the model requires of it, and no other; a refusal must have the code that the step expects.
"""

import contextlib, io, json, sys, time
import boto3
from awscli.clidriver import create_clidriver
from botocore import xform_name

lam = boto3.client("lambda")
model = lam.meta.service_model
driver = create_clidriver()
name = sys.argv[1]
account = "arn:aws:lambda:us-east-1:000000000000"
execution = f"{account}:function:{name}:1/durable-execution/none/00000000-0000-4000-8000-000000000000"

VALUES = {
    "Action": "lambda:InvokeFunction",
    "AllowedPublishers": {"SigningProfileVersionArns": ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij"]},
    "AuthType": "AWS_IAM",
    "CallbackId": "bm9uZQ==",
    "CapacityProviderName": name,
    "CheckpointToken": "bm9uZQ==",
    "DurableExecutionArn": execution,
    "FunctionName": name,
    "FunctionVersion": "1",
    "LayerName": name,
    "Name": "live",
    "PermissionsConfig": {"CapacityProviderOperatorRoleArn": "arn:aws:iam::000000000000:role/operator"},
    "Principal": "s3.amazonaws.com",
    "ProvisionedConcurrentExecutions": 1,
    "Qualifier": "live",
    "RecursiveLoop": "Allow",
    "ReservedConcurrentExecutions": 5,
    "Resource": f"{account}:function:{name}",
    "ResourceArn": f"{account}:function:{name}",
    "Role": "arn:aws:iam::000000000000:role/test",
    "StatementId": "one",
    "TagKeys": ["a"],
    "Tags": {"a": "b"},
    "UpdateRuntimeOn": "FunctionUpdate",
    "VersionNumber": 1,
    "VpcConfig": {"SubnetIds": ["subnet-0"], "SecurityGroupIds": ["sg-0"]},
}
# How the CLI names what its model does not: files and positions.
FILES = {"CreateFunction": ("Code", ["--zip-file", "fileb://probe.zip"]),
         "PublishLayerVersion": ("Content", ["--zip-file", "fileb://layer.zip"]),
         "Invoke": (None, ["out"]),
         "InvokeAsync": ("InvokeArgs", ["--invoke-args", "event.json"])}
# The CLI, version 1, has no command for an operation that answers with an event stream.
NO_COMMAND = {"InvokeWithResponseStream"}
seen = set()


def argument(member, value):
    flag = "--" + xform_name(member, "-")
    if isinstance(value, bool):
        return [flag if value else flag.replace("--", "--no-", 1)]
    return [flag, json.dumps(value) if isinstance(value, (dict, list)) else str(value)]


def command(operation, added):
    replaced, words = FILES.get(operation, (None, []))
    shape = model.operation_model(operation).input_shape
    given = {m: VALUES[m] for m in (shape.required_members if shape else []) if m != replaced and m not in added}
    arguments = [word for member, value in {**given, **added}.items() for word in argument(member, value)]
    return ["lambda", xform_name(operation, "-"), *arguments, *words]


def check(shape, value, where):
    """An answer has what its shape requires, and knows no other members."""
    if shape.type_name == "structure":
        assert isinstance(value, dict) and set(shape.required_members) <= set(value) <= set(shape.members), (where, value)
        for member, inner in value.items():
            check(shape.members[member], inner, f"{where}.{member}")
    elif shape.type_name == "list":
        for inner in value:
            check(shape.member, inner, where + "[]")
    elif shape.type_name == "map":
        assert isinstance(value, dict), (where, value)
    else:
        kinds = {"string": str, "boolean": bool, "integer": int, "long": int, "double": (int, float)}
        assert isinstance(value, kinds.get(shape.type_name, object)), (where, value)


def run(operation, refused=None, **added):
    """Runs the operation's command; its answer, or the text of the refusal with the code `refused`."""
    seen.add(operation)
    words = command(operation, added)
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = driver.main(words)
    out.flush()
    text = out.buffer.getvalue().decode()
    if refused:
        assert status != 0 and f"({refused})" in err.getvalue(), (words, status, text, err.getvalue())
        return err.getvalue()
    assert status == 0, (words, status, err.getvalue())
    shape = model.operation_model(operation).output_shape
    answer = json.loads(text) if text.strip() else {}
    if shape:
        payload = shape.serialization.get("payload")
        check(shape, {**answer, payload: ""} if payload else answer, operation)
    else:
        assert not answer, (words, answer)
    return answer


def until(operation, reached, **added):
    for _ in range(600):
        if reached(answer := run(operation, **added)):
            return answer
        time.sleep(0.05)
    raise AssertionError(answer)


def until_gone(operation, **added):
    for _ in range(600):
        try:
            run(operation, refused="ResourceNotFoundException", **added)
            return
        except AssertionError:
            time.sleep(0.05)
    run(operation, refused="ResourceNotFoundException", **added)


missing = "ResourceNotFoundException"
run("GetAccountSettings")

# What functions refer to.
layer = run("PublishLayerVersion")["LayerVersionArn"]
run("GetLayerVersion")
run("GetLayerVersionByArn", Arn=layer)
assert any(l["LayerName"] == name for l in run("ListLayers")["Layers"])
assert len(run("ListLayerVersions")["LayerVersions"]) == 1
run("AddLayerVersionPermission", Action="lambda:GetLayerVersion", Principal="111111111111")
run("GetLayerVersionPolicy")
run("RemoveLayerVersionPermission")
run("GetLayerVersionPolicy", refused=missing)
signing = run("CreateCodeSigningConfig")["CodeSigningConfig"]["CodeSigningConfigArn"]
run("UpdateCodeSigningConfig", CodeSigningConfigArn=signing, Description="changed")
assert run("GetCodeSigningConfig", CodeSigningConfigArn=signing)["CodeSigningConfig"]["Description"] == "changed"
assert signing in [c["CodeSigningConfigArn"] for c in run("ListCodeSigningConfigs")["CodeSigningConfigs"]]
run("CreateCapacityProvider")
until("GetCapacityProvider", lambda answer: answer["CapacityProvider"]["State"] == "Active")
run("UpdateCapacityProvider", CapacityProviderScalingConfig={"MaxVCpuCount": 20})
assert name in [p["CapacityProviderArn"].rsplit(":", 1)[1] for p in run("ListCapacityProviders")["CapacityProviders"]]
assert run("ListFunctionVersionsByCapacityProvider")["FunctionVersions"] == []

# A function, what it is and runs.
run("CreateFunction", Runtime="python3.11", Handler="probe.handler")
settled = lambda answer: answer["Configuration"]["State"] == "Active" and answer["Configuration"]["LastUpdateStatus"] == "Successful"
until("GetFunction", settled)
run("UpdateFunctionConfiguration", Description="changed", Layers=[layer])
until("GetFunction", settled)
FILES["UpdateFunctionCode"] = (None, ["--zip-file", "fileb://probe.zip"])
run("UpdateFunctionCode")
until("GetFunction", settled)
assert run("GetFunctionConfiguration")["Description"] == "changed"
assert name in [f["FunctionName"] for f in run("ListFunctions")["Functions"]]
run("PublishVersion")
assert [v["Version"] for v in run("ListVersionsByFunction")["Versions"]] == ["$LATEST", "1"]
run("CreateAlias")
assert run("GetAlias")["FunctionVersion"] == "1"
run("UpdateAlias", Description="changed")
assert [a["Description"] for a in run("ListAliases")["Aliases"]] == ["changed"]
run("TagResource")
assert run("ListTags") == {"Tags": {"a": "b"}}
run("UntagResource")
assert run("Invoke", Payload='{"do": "context"}')["StatusCode"] == 200
assert json.load(open("out"))["name"] == name
assert "InvokeAsync" in run("InvokeAsync", refused="UnsupportedOperationException")
seen.add("InvokeWithResponseStream")
events = list(lam.invoke_with_response_stream(FunctionName=name, Payload='{"do": "context"}')["EventStream"])
assert "PayloadChunk" in events[0] and events[-1] == {"InvokeComplete": {}}, events

# What is attached to it.
run("AddPermission")
assert json.loads(run("GetPolicy")["Policy"])["Statement"][0]["Sid"] == "one"
run("RemovePermission")
run("GetPolicy", refused=missing)
policy = {"Version": "2012-10-17", "Statement": [{"Sid": "one", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
          "Action": "lambda:InvokeFunction", "Resource": f"{account}:function:{name}"}]}
run("PutResourcePolicy", Policy=policy)
assert json.loads(run("GetResourcePolicy")["Policy"])["Statement"][0]["Sid"] == "one"
run("DeleteResourcePolicy")
run("PutFunctionConcurrency")
assert run("GetFunctionConcurrency")["ReservedConcurrentExecutions"] == 5
run("PutProvisionedConcurrencyConfig")
until("GetProvisionedConcurrencyConfig", lambda answer: answer["Status"] == "READY")
assert len(run("ListProvisionedConcurrencyConfigs")["ProvisionedConcurrencyConfigs"]) == 1
run("DeleteProvisionedConcurrencyConfig")
run("DeleteFunctionConcurrency")
assert run("GetFunctionConcurrency") == {}
run("PutFunctionEventInvokeConfig", MaximumRetryAttempts=0)
run("UpdateFunctionEventInvokeConfig", MaximumEventAgeInSeconds=60)
assert run("GetFunctionEventInvokeConfig")["MaximumRetryAttempts"] == 0
assert len(run("ListFunctionEventInvokeConfigs")["FunctionEventInvokeConfigs"]) == 1
run("DeleteFunctionEventInvokeConfig")
run("CreateFunctionUrlConfig")
run("UpdateFunctionUrlConfig", InvokeMode="RESPONSE_STREAM")
assert run("GetFunctionUrlConfig")["InvokeMode"] == "RESPONSE_STREAM"
assert len(run("ListFunctionUrlConfigs")["FunctionUrlConfigs"]) == 1
run("DeleteFunctionUrlConfig")
run("PutFunctionRecursionConfig")
assert run("GetFunctionRecursionConfig") == {"RecursiveLoop": "Allow"}
run("PutRuntimeManagementConfig")
assert run("GetRuntimeManagementConfig")["UpdateRuntimeOn"] == "FunctionUpdate"
run("PutFunctionScalingConfig", Qualifier="1", FunctionScalingConfig={"MinExecutionEnvironments": 1})
run("GetFunctionScalingConfig", Qualifier="1")
run("PutFunctionCodeSigningConfig", CodeSigningConfigArn=signing)
assert run("GetFunctionCodeSigningConfig")["CodeSigningConfigArn"] == signing
assert len(run("ListFunctionsByCodeSigningConfig", CodeSigningConfigArn=signing)["FunctionArns"]) == 1
run("DeleteFunctionCodeSigningConfig")
source = f"arn:aws:sqs:us-east-1:000000000000:{name}"
mapping = run("CreateEventSourceMapping", EventSourceArn=source)["UUID"]
enabled = lambda answer: answer["State"] == "Enabled"
until("GetEventSourceMapping", enabled, UUID=mapping)
run("UpdateEventSourceMapping", UUID=mapping, BatchSize=5)
assert until("GetEventSourceMapping", enabled, UUID=mapping)["BatchSize"] == 5
assert [m["UUID"] for m in run("ListEventSourceMappings", FunctionName=name)["EventSourceMappings"]] == [mapping]
run("DeleteEventSourceMapping", UUID=mapping)

# No durable execution exists here, so none is found.
assert run("ListDurableExecutionsByFunction")["DurableExecutions"] == []
for operation in ("CheckpointDurableExecution", "DeleteDurableExecution", "GetDurableExecution", "GetDurableExecutionHistory",
                  "GetDurableExecutionState", "PauseDurableExecution", "ResumeDurableExecution",
                  "SendDurableExecutionCallbackFailure", "SendDurableExecutionCallbackHeartbeat",
                  "SendDurableExecutionCallbackSuccess", "StopDurableExecution"):
    run(operation, refused=missing)

# All of it goes.
until_gone("GetEventSourceMapping", UUID=mapping)
run("DeleteAlias")
run("DeleteFunction")
run("GetFunction", refused=missing)
run("DeleteCapacityProvider")
run("DeleteCodeSigningConfig", CodeSigningConfigArn=signing)
run("DeleteLayerVersion")
run("GetLayerVersion", refused=missing)
assert seen == set(model.operation_names), sorted(set(model.operation_names) ^ seen)
commands = driver._get_command_table()["lambda"]._get_command_table()
assert {o for o in seen if xform_name(o, "-") not in commands} == NO_COMMAND, "commands of the CLI"
