import base64, json, re, uuid
import boto3
from botocore.exceptions import ClientError

lam = boto3.client("lambda")
code = open("probe.zip", "rb").read()
prefix = "boto3-" + uuid.uuid4().hex[:8]
names = [f"{prefix}-{i}" for i in range(5)]
for n in names:
    made = lam.create_function(FunctionName=n, Runtime="python3.11", Handler="probe.handler", Code={"ZipFile": code},
                               Role="arn:aws:iam::000000000000:role/test", Timeout=10)
    assert made["State"] == "Pending" and made["ResponseMetadata"]["HTTPStatusCode"] == 201, made
name = names[0]

# Waiters: both that poll GetFunction, and the older one that polls the configuration.
for n in names:
    lam.get_waiter("function_active_v2").wait(FunctionName=n, WaiterConfig={"Delay": 1})
lam.get_waiter("function_active").wait(FunctionName=name, WaiterConfig={"Delay": 1})
lam.get_waiter("function_exists").wait(FunctionName=name)
lam.update_function_configuration(FunctionName=name, Description="d", Environment={"Variables": {"KEY": "v ☃"}})
lam.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})

# Paginators see every function once, in pages of the requested size.
pages = list(lam.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}))
seen = [f["FunctionName"] for p in pages for f in p["Functions"]]
assert set(names) <= set(seen) and len(seen) == len(set(seen)) and all(len(p["Functions"]) <= 2 for p in pages), seen
versions = [v["Version"] for p in lam.get_paginator("list_versions_by_function").paginate(FunctionName=name) for v in p["Versions"]]
assert versions == ["$LATEST"], versions

# Every configuration names the runtime's build: the same for two functions and in two answers.
def version(configuration):
    return configuration["RuntimeVersionConfig"]["RuntimeVersionArn"]

arn = version(lam.get_function_configuration(FunctionName=name))
assert re.fullmatch(r"arn:aws:lambda:[a-z0-9-]+::runtime:[0-9a-f]{64}", arn), arn
assert {version(f) for p in pages for f in p["Functions"] if f["FunctionName"] in names} == {arn}
assert version(lam.get_function(FunctionName=name)["Configuration"]) == arn
assert version(lam.list_versions_by_function(FunctionName=name)["Versions"][0]) == arn

# Versions and aliases: published, named, invoked by either, and gone.
made = lam.publish_version(FunctionName=name, Description="one")
assert (made["Version"], made["Description"]) == ("1", "one") and made["ResponseMetadata"]["HTTPStatusCode"] == 201, made
lam.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="1", WaiterConfig={"Delay": 1})
alias = lam.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
assert alias["AliasArn"].endswith(f":{name}:live") and "RoutingConfig" not in alias, alias
answer = lam.invoke(FunctionName=alias["AliasArn"], Payload=json.dumps({"do": "context"}))
got = json.load(answer["Payload"])
assert answer["ExecutedVersion"] == got["version"] == "1" and got["arn"] == alias["AliasArn"], got
moved = lam.update_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST", RevisionId=alias["RevisionId"])
assert lam.invoke(FunctionName=name, Qualifier="live")["ExecutedVersion"] == "$LATEST"
listed = [a for p in lam.get_paginator("list_aliases").paginate(FunctionName=name) for a in p["Aliases"]]
assert [a["RevisionId"] for a in listed] == [moved["RevisionId"]], listed
lam.delete_alias(FunctionName=name, Name="live")
lam.delete_function(FunctionName=name, Qualifier="1")
assert [v["Version"] for v in lam.list_versions_by_function(FunctionName=name)["Versions"]] == ["$LATEST"]

# The payload is a stream; the context arrives decoded.
context = base64.b64encode(json.dumps({"custom": {"a": "b"}}).encode()).decode()
answer = lam.invoke(FunctionName=name, Payload=json.dumps({"do": "context"}), ClientContext=context, LogType="Tail")
got = json.load(answer["Payload"])
assert got["name"] == name and got["custom"] == {"a": "b"}, got
assert got["id"] == answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"]
assert "REPORT RequestId: " + got["id"] in base64.b64decode(answer["LogResult"]).decode()
big = lam.invoke(FunctionName=name, Payload=json.dumps("y" * 1_000_000))["Payload"]
assert b"".join(big.iter_chunks(65536)) == json.dumps("y" * 1_000_000).encode()
failed = lam.invoke(FunctionName=name, Payload='{"do": "raise", "text": "on purpose"}')
assert failed["StatusCode"] == 200 and failed["FunctionError"] == "Unhandled"
assert json.load(failed["Payload"])["errorType"] == "ValueError"

# The same response as an event stream, and what went wrong as its last event.
def streamed(**arguments):
    answer = lam.invoke_with_response_stream(FunctionName=name, **arguments)
    events = list(answer["EventStream"])
    payload = b"".join(e["PayloadChunk"]["Payload"] for e in events if "PayloadChunk" in e)
    assert answer["ExecutedVersion"] == "$LATEST" and "InvokeComplete" in events[-1], answer
    return payload, events[-1]["InvokeComplete"]

payload, end = streamed(Payload=json.dumps("z" * 1_000_000), LogType="Tail")
assert payload == json.dumps("z" * 1_000_000).encode()
assert "ErrorCode" not in end and "REPORT RequestId: " in base64.b64decode(end["LogResult"]).decode(), end
payload, end = streamed(Payload='{"do": "raise", "text": "on purpose"}')
assert end["ErrorCode"] == "Unhandled" and json.loads(end["ErrorDetails"])["errorType"] == "ValueError", end
dry = lam.invoke_with_response_stream(FunctionName=name, InvocationType="DryRun")
assert dry["StatusCode"] == 204, dry

# Modelled exceptions are classes of the client.
def refused(kind, call, **arguments):
    try:
        call(**arguments)
    except kind as e:
        return e.response
    raise AssertionError(f"{call} was not refused")

gone = refused(lam.exceptions.ResourceNotFoundException, lam.get_function, FunctionName="absent-" + prefix)
assert gone["Error"]["Message"].startswith("Function not found: arn:aws:lambda:") and gone["Type"] == "User", gone
refused(lam.exceptions.ResourceConflictException, lam.create_function, FunctionName=name, Runtime="python3.11", Handler="a.b",
        Code={"ZipFile": code}, Role="arn:aws:iam::000000000000:role/test")
refused(lam.exceptions.PreconditionFailedException, lam.update_function_code, FunctionName=name, ZipFile=code,
        RevisionId=str(uuid.uuid4()))
refused(lam.exceptions.InvalidRequestContentException, lam.invoke, FunctionName=name, Payload="no json")
invalid = refused(ClientError, lam.get_function, FunctionName="not a name")
assert invalid["Error"]["Code"] == "ValidationException", invalid

lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
slow = boto3.session.Session().client("lambda", config=boto3.session.Config(retries={"total_max_attempts": 1}))
throttled = refused(slow.exceptions.TooManyRequestsException, slow.invoke, FunctionName=name)
assert throttled["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded", throttled

for n in names:
    lam.delete_function(FunctionName=n)
refused(lam.exceptions.ResourceNotFoundException, lam.get_function_configuration, FunctionName=name)
