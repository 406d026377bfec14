import base64, json, time, uuid
import boto3

lam = boto3.client("lambda")
code = open("probe.zip", "rb").read()
name = f"provisioned-{uuid.uuid4().hex[:8]}"


def publish(handler):
    lam.update_function_configuration(FunctionName=name, Handler=handler)
    lam.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    return lam.publish_version(FunctionName=name)["Version"]


def settled(qualifier):
    """The status, once the start has succeeded or failed."""
    for _ in range(600):
        got = lam.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)
        if got["Status"] != "IN_PROGRESS":
            return got
        time.sleep(0.1)
    raise AssertionError(got)


def refused(kind, call, **arguments):
    try:
        call(**arguments)
    except kind as e:
        return e.response["Error"]["Message"]
    raise AssertionError(f"{call} was not refused")


lam.create_function(FunctionName=name, Runtime="python3.11", Handler="probe.handler", Code={"ZipFile": code},
                    Role="arn:aws:iam::000000000000:role/test", Timeout=10)
lam.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
good = publish("probe.handler")
lam.create_alias(FunctionName=name, Name="live", FunctionVersion=good)
refused(lam.exceptions.ProvisionedConcurrencyConfigNotFoundException, lam.get_provisioned_concurrency_config,
        FunctionName=name, Qualifier="live")

# It becomes ready, and an invocation finds an initialised environment that knows what it is.
put = lam.put_provisioned_concurrency_config(FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=2)
assert put["ResponseMetadata"]["HTTPStatusCode"] == 202 and put["Status"] == "IN_PROGRESS", put
assert put["RequestedProvisionedConcurrentExecutions"] == 2 and put["AllocatedProvisionedConcurrentExecutions"] == 0, put
ready = settled("live")
assert ready["Status"] == "READY" and "StatusReason" not in ready, ready
assert ready["AllocatedProvisionedConcurrentExecutions"] == ready["AvailableProvisionedConcurrentExecutions"] == 2, ready
answer = lam.invoke(FunctionName=name, Qualifier="live", Payload=json.dumps({"do": "environ"}), LogType="Tail")
environ = json.load(answer["Payload"])
assert environ["AWS_LAMBDA_INITIALIZATION_TYPE"] == "provisioned-concurrency", environ
assert environ["AWS_LAMBDA_FUNCTION_VERSION"] == good, environ
log = base64.b64decode(answer["LogResult"]).decode()
assert "REPORT RequestId: " in log and "Init Duration" not in log, log
on_demand = json.load(lam.invoke(FunctionName=name, Payload=json.dumps({"do": "environ"}))["Payload"])
assert on_demand["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand", on_demand

# It is a part of what is reserved.
reserved = refused(lam.exceptions.InvalidParameterValueException, lam.put_function_concurrency, FunctionName=name,
                   ReservedConcurrentExecutions=1)
assert "should not be lower than function's total provisioned concurrency [2]" in reserved, reserved
listed = [c for p in lam.get_paginator("list_provisioned_concurrency_configs").paginate(FunctionName=name)
          for c in p["ProvisionedConcurrencyConfigs"]]
assert [(c["FunctionArn"].rsplit(":", 1)[1], c["Status"]) for c in listed] == [("live", "READY")], listed

# A function that cannot be initialised says so.
bad = publish("absent.handler")
lam.put_provisioned_concurrency_config(FunctionName=name, Qualifier=bad, ProvisionedConcurrentExecutions=1)
failed = settled(bad)
assert (failed["Status"], failed["StatusReason"]) == ("FAILED", "FUNCTION_ERROR_INIT_FAILURE"), failed
assert failed["AllocatedProvisionedConcurrentExecutions"] == 0, failed
refused(lam.exceptions.ResourceConflictException, lam.update_alias, FunctionName=name, Name="live", FunctionVersion=bad)
for qualifier in (bad, "live"):
    lam.delete_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)
assert lam.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"] == []
lam.delete_function(FunctionName=name)
