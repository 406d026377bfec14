import datetime, uuid
import boto3

lam = boto3.client("lambda")
code = open("probe.zip", "rb").read()
name, other = [f"attached-{uuid.uuid4().hex[:8]}" for _ in range(2)]
for n in (name, other):
    lam.create_function(FunctionName=n, Runtime="python3.11", Handler="probe.handler", Code={"ZipFile": code},
                        Role="arn:aws:iam::000000000000:role/test", Publish=True)
    lam.get_waiter("function_active_v2").wait(FunctionName=n, WaiterConfig={"Delay": 1})
arn = lam.get_function_configuration(FunctionName=name)["FunctionArn"]
lam.create_alias(FunctionName=name, Name="live", FunctionVersion="1")


def refused(kind, call, **arguments):
    try:
        call(**arguments)
    except kind as e:
        return e.response["Error"]["Message"]
    raise AssertionError(f"{call} was not refused")


# Asynchronous invocations: times are datetimes, members that were not given are absent, pages are whole.
missing = lam.exceptions.ResourceNotFoundException
assert refused(missing, lam.get_function_event_invoke_config, FunctionName=name) == f"The function {arn}:$LATEST doesn't have an EventInvokeConfig"
destination = arn.replace(name, other)
put = lam.put_function_event_invoke_config(FunctionName=name, Qualifier="live", MaximumRetryAttempts=0,
                                           DestinationConfig={"OnSuccess": {"Destination": destination}})
assert isinstance(put["LastModified"], datetime.datetime) and put["FunctionArn"] == f"{arn}:live", put
assert put["DestinationConfig"] == {"OnSuccess": {"Destination": destination}, "OnFailure": {}}, put
assert "MaximumEventAgeInSeconds" not in put, put
updated = lam.update_function_event_invoke_config(FunctionName=f"{arn}:live", MaximumEventAgeInSeconds=60)
assert (updated["MaximumRetryAttempts"], updated["MaximumEventAgeInSeconds"]) == (0, 60), updated
lam.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
pages = lam.get_paginator("list_function_event_invoke_configs").paginate(FunctionName=name, PaginationConfig={"PageSize": 1})
listed = [c["FunctionArn"] for p in pages for c in p["FunctionEventInvokeConfigs"]]
assert listed == [f"{arn}:$LATEST", f"{arn}:live"], listed
lam.delete_function_event_invoke_config(FunctionName=name)
refused(lam.exceptions.InvalidParameterValueException, lam.put_function_event_invoke_config, FunctionName=name,
        DestinationConfig={"OnFailure": {"Destination": arn}})

# Function URLs.
made = lam.create_function_url_config(FunctionName=name, Qualifier="live", AuthType="NONE",
                                      Cors={"AllowOrigins": ["*"], "MaxAge": 1})
assert made["FunctionUrl"].endswith("/") and ".lambda-url.us-east-1." in made["FunctionUrl"], made
got = lam.get_function_url_config(FunctionName=name, Qualifier="live")
assert (got["FunctionUrl"], got["Cors"], got["InvokeMode"]) == (made["FunctionUrl"], {"AllowOrigins": ["*"], "MaxAge": 1}, "BUFFERED"), got
datetime.datetime.fromisoformat(got["LastModifiedTime"].replace("Z", "+00:00"))
updated = lam.update_function_url_config(FunctionName=name, Qualifier="live", AuthType="AWS_IAM", Cors={})
assert updated["AuthType"] == "AWS_IAM" and "Cors" not in updated, updated
urls = [u for p in lam.get_paginator("list_function_url_configs").paginate(FunctionName=name) for u in p["FunctionUrlConfigs"]]
assert [u["FunctionArn"] for u in urls] == [f"{arn}:live"], urls
refused(lam.exceptions.ResourceConflictException, lam.create_function_url_config, FunctionName=name, Qualifier="live", AuthType="NONE")
lam.delete_alias(FunctionName=name, Name="live")
refused(missing, lam.get_function_url_config, FunctionName=name, Qualifier="live")

# Runtime management, recursion, scaling.
build = lam.get_function_configuration(FunctionName=name)["RuntimeVersionConfig"]["RuntimeVersionArn"]
assert lam.get_runtime_management_config(FunctionName=name)["UpdateRuntimeOn"] == "Auto"
lam.put_runtime_management_config(FunctionName=name, Qualifier="1", UpdateRuntimeOn="Manual", RuntimeVersionArn=build)
got = lam.get_runtime_management_config(FunctionName=name, Qualifier="1")
assert (got["UpdateRuntimeOn"], got["RuntimeVersionArn"], got["FunctionArn"]) == ("Manual", build, f"{arn}:1"), got
assert lam.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Terminate"
lam.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
assert lam.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Allow"
put = lam.put_function_scaling_config(FunctionName=name, Qualifier="1", FunctionScalingConfig={"MinExecutionEnvironments": 1})
assert put["FunctionState"] == "Active" and put["ResponseMetadata"]["HTTPStatusCode"] == 202, put
got = lam.get_function_scaling_config(FunctionName=name, Qualifier="1")
assert got["RequestedFunctionScalingConfig"] == {"MinExecutionEnvironments": 1} and "AppliedFunctionScalingConfig" not in got, got

for n in (name, other):
    lam.delete_function(FunctionName=n)
refused(missing, lam.get_function_recursion_config, FunctionName=name)
