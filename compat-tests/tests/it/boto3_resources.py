import datetime, json, time, uuid
import boto3

lam = boto3.client("lambda")
name = "boto3-" + uuid.uuid4().hex[:8]
lam.create_function(FunctionName=name, Runtime="python3.11", Handler="probe.handler", Timeout=10,
                    Code={"ZipFile": open("probe.zip", "rb").read()}, Role="arn:aws:iam::000000000000:role/test")
lam.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})

def refused(kind, call, **arguments):
    try:
        call(**arguments)
    except kind as e:
        return e.response
    raise AssertionError(f"{call} was not refused")

# A code signing config: made, given to the function, in use, taken away, gone.
profile = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij"
config = lam.create_code_signing_config(AllowedPublishers={"SigningProfileVersionArns": [profile]}, Tags={"a": "b"})["CodeSigningConfig"]
arn = config["CodeSigningConfigArn"]
assert config["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}, config
assert lam.update_code_signing_config(CodeSigningConfigArn=arn, Description="d")["CodeSigningConfig"]["Description"] == "d"
lam.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=arn)
assert lam.get_function_code_signing_config(FunctionName=name)["CodeSigningConfigArn"] == arn
functions = [f for p in lam.get_paginator("list_functions_by_code_signing_config").paginate(CodeSigningConfigArn=arn) for f in p["FunctionArns"]]
assert [f.rsplit(":", 1)[1] for f in functions] == [name], functions
refused(lam.exceptions.ResourceConflictException, lam.delete_code_signing_config, CodeSigningConfigArn=arn)
lam.delete_function_code_signing_config(FunctionName=name)
assert not lam.get_function_code_signing_config(FunctionName=name).get("CodeSigningConfigArn")
lam.tag_resource(Resource=arn, Tags={"c": "d"})
assert lam.list_tags(Resource=arn)["Tags"] == {"a": "b", "c": "d"}
arns = [c["CodeSigningConfigArn"] for p in lam.get_paginator("list_code_signing_configs").paginate() for c in p["CodeSigningConfigs"]]
assert arn in arns, arns
lam.delete_code_signing_config(CodeSigningConfigArn=arn)
refused(lam.exceptions.ResourceNotFoundException, lam.get_code_signing_config, CodeSigningConfigArn=arn)
refused(lam.exceptions.CodeSigningConfigNotFoundException, lam.put_function_code_signing_config, FunctionName=name, CodeSigningConfigArn=arn)

# An event source mapping: settles, is changed, disabled, tagged, listed, and gone.
def settled(id):
    while (found := lam.get_event_source_mapping(UUID=id))["State"] not in ("Enabled", "Disabled"):
        time.sleep(0.05)
    return found

stream = "arn:aws:kinesis:us-east-1:000000000000:stream/" + name
made = lam.create_event_source_mapping(FunctionName=name, EventSourceArn=stream, StartingPosition="AT_TIMESTAMP",
                                       StartingPositionTimestamp=datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc),
                                       FilterCriteria={"Filters": [{"Pattern": json.dumps({"data": {"a": ["x"]}})}]}, Tags={"a": "b"})
id = made["UUID"]
assert made["State"] == "Creating" and made["ResponseMetadata"]["HTTPStatusCode"] == 202, made
assert abs((datetime.datetime.now(datetime.timezone.utc) - made["LastModified"]).total_seconds()) < 60, made
assert made["StartingPositionTimestamp"].timestamp() == 1735689600, made
assert made["DestinationConfig"] == {"OnFailure": {}} and made["LastProcessingResult"] == "No records processed", made
assert settled(id)["State"] == "Enabled"
taken = refused(lam.exceptions.ResourceConflictException, lam.create_event_source_mapping, FunctionName=name,
                EventSourceArn=stream, StartingPosition="LATEST")
assert taken["Error"]["Message"].endswith(id), taken
assert lam.update_event_source_mapping(UUID=id, BatchSize=5, Enabled=False)["State"] == "Disabling"
assert settled(id)["BatchSize"] == 5
arn = made["EventSourceMappingArn"]
lam.untag_resource(Resource=arn, TagKeys=["a"])
assert lam.list_tags(Resource=arn)["Tags"] == {}
listed = [m["UUID"] for p in lam.get_paginator("list_event_source_mappings").paginate(FunctionName=name) for m in p["EventSourceMappings"]]
assert listed == [id], listed
assert lam.delete_event_source_mapping(UUID=id)["State"] == "Deleting"
for _ in range(600):
    try:
        lam.get_event_source_mapping(UUID=id)
    except lam.exceptions.ResourceNotFoundException:
        break
    time.sleep(0.05)
else:
    raise AssertionError("the mapping is not gone")
lam.delete_function(FunctionName=name)
