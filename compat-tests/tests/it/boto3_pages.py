import uuid
import boto3
from botocore.exceptions import WaiterError

lam = boto3.client("lambda")
code = {"ZipFile": open("probe.zip", "rb").read()}
prefix = "pages-" + uuid.uuid4().hex[:8]
names = [f"{prefix}-{i}" for i in range(3)]
name = names[0]
quickly = {"Delay": 1}
made = dict(Runtime="python3.11", Handler="probe.handler", Code=code, Role="arn:aws:iam::000000000000:role/test")


def last(arn):
    return arn.rsplit(":", 1)[1]


# Every waiter of the model ends for a function that is there; the arguments are those that each needs.
waiters = {"function_active", "function_active_v2", "function_exists", "function_updated", "function_updated_v2",
           "published_version_active"}
assert set(lam.waiter_names) == waiters, lam.waiter_names
for n in names:
    lam.create_function(FunctionName=n, Publish=True, **made)
    lam.get_waiter("function_exists").wait(FunctionName=n)
    lam.get_waiter("function_active_v2").wait(FunctionName=n, WaiterConfig=quickly)
for qualifier in ("2", "3"):
    lam.update_function_configuration(FunctionName=name, MemorySize=128 + int(qualifier))
    lam.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=quickly)
    assert lam.publish_version(FunctionName=name)["Version"] == qualifier
for waiter in sorted(waiters):
    qualified = {"Qualifier": "3"} if waiter == "published_version_active" else {}
    lam.get_waiter(waiter).wait(FunctionName=name, WaiterConfig=quickly, **qualified)
    try:
        lam.get_waiter(waiter).wait(FunctionName="absent-" + prefix, WaiterConfig={"Delay": 0, "MaxAttempts": 1}, **qualified)
    except WaiterError as e:
        assert waiter == "function_exists" or "ResourceNotFoundException" in str(e), (waiter, e)
    else:
        raise AssertionError(f"{waiter} found a function that is absent")

# Three or so of everything that has pages.
publishers = {"SigningProfileVersionArns": ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij"]}
signing = [lam.create_code_signing_config(AllowedPublishers=publishers)["CodeSigningConfig"]["CodeSigningConfigArn"] for _ in names]
for n in names:
    lam.put_function_code_signing_config(FunctionName=n, CodeSigningConfigArn=signing[0])
    lam.publish_layer_version(LayerName=n, Content=code)
    lam.create_capacity_provider(CapacityProviderName=n, VpcConfig={"SubnetIds": ["subnet-0"], "SecurityGroupIds": ["sg-0"]},
                                 PermissionsConfig={"CapacityProviderOperatorRoleArn": made["Role"]})
for _ in range(2):
    lam.publish_layer_version(LayerName=name, Content=code)
for alias, version in (("a", "1"), ("b", "2"), ("c", "3")):
    lam.create_alias(FunctionName=name, Name=alias, FunctionVersion=version)
    lam.create_function_url_config(FunctionName=name, Qualifier=alias, AuthType="AWS_IAM")
    lam.put_function_event_invoke_config(FunctionName=name, Qualifier=alias, MaximumRetryAttempts=0)
    lam.put_provisioned_concurrency_config(FunctionName=name, Qualifier=alias, ProvisionedConcurrentExecutions=1)
mappings = [lam.create_event_source_mapping(FunctionName=name, EventSourceArn=f"arn:aws:sqs:us-east-1:000000000000:{n}")["UUID"]
            for n in names]
managed = prefix + "-managed"
while (provider := lam.get_capacity_provider(CapacityProviderName=name)["CapacityProvider"])["State"] != "Active":
    pass
lam.create_function(FunctionName=managed, MemorySize=2048, **made, CapacityProviderConfig={
    "LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": provider["CapacityProviderArn"]}})
lam.get_waiter("function_active_v2").wait(FunctionName=managed, WaiterConfig=quickly)
for version in (1, 2, 3):
    lam.update_function_configuration(FunctionName=managed, Timeout=version)
    lam.get_waiter("function_updated_v2").wait(FunctionName=managed, WaiterConfig=quickly)
    lam.publish_version(FunctionName=managed)

# Every paginator of the model: arguments, the list in a page, what names an item, and the names that must be in it.
# Where the list is of this test alone, it has no others.
here, alone, arn = dict(FunctionName=name), True, "FunctionArn"
durable = f"arn:aws:lambda:us-east-1:000000000000:function:{name}:1/durable-execution/none/00000000-0000-4000-8000-000000000000"
tables = {
    "list_aliases": (here, lambda i: i["Name"], "abc", alone),
    "list_capacity_providers": ({}, lambda i: last(i["CapacityProviderArn"]), names, False),
    "list_code_signing_configs": ({}, lambda i: i["CodeSigningConfigArn"], signing, False),
    "list_durable_executions_by_function": (here, None, [], alone),
    "list_event_source_mappings": (here, lambda i: i["UUID"], mappings, alone),
    "list_function_event_invoke_configs": (here, lambda i: last(i[arn]), "abc", alone),
    "list_function_url_configs": (here, lambda i: last(i[arn]), "abc", alone),
    "list_function_versions_by_capacity_provider": ({"CapacityProviderName": name}, lambda i: last(i[arn]), ["$LATEST", "1", "2", "3"], alone),
    "list_functions": ({}, lambda i: i["FunctionName"], names, False),
    "list_functions_by_code_signing_config": ({"CodeSigningConfigArn": signing[0]}, last, names, alone),
    "list_layer_versions": ({"LayerName": name}, lambda i: i["Version"], [1, 2, 3], alone),
    "list_layers": ({}, lambda i: i["LayerName"], names, False),
    "list_provisioned_concurrency_configs": (here, lambda i: last(i[arn]), "abc", alone),
    "list_versions_by_function": (here, lambda i: i["Version"], ["$LATEST", "1", "2", "3"], alone),
    "get_durable_execution_history": ({"DurableExecutionArn": durable}, None, None, alone),
    "get_durable_execution_state": ({"DurableExecutionArn": durable, "CheckpointToken": "bm9uZQ=="}, None, None, alone),
}
operations = {lam.meta.method_to_api_mapping[m]: m for m in dir(lam) if m in lam.meta.method_to_api_mapping}
paginated = {method for operation, method in operations.items() if lam.can_paginate(method)}
assert paginated == set(tables), paginated ^ set(tables)
for method, (arguments, named, expected, exact) in tables.items():
    paginator = lam.get_paginator(method)
    pages = paginator.paginate(**arguments, PaginationConfig={"PageSize": 1})
    if expected is None:
        try:
            list(pages)
        except lam.exceptions.ResourceNotFoundException:
            continue
        raise AssertionError(f"{method} found a durable execution")
    items = []
    for page in pages:
        found = paginator.result_keys[0].search(page)
        assert isinstance(found, list) and len(found) <= 1, (method, found)
        items += [named(item) for item in found]
    assert len(items) == len(set(items)) and set(expected) <= set(items), (method, items)
    assert not exact or len(items) == len(expected), (method, items)

for mapping in mappings:
    lam.delete_event_source_mapping(UUID=mapping)
for n in (*names, managed):
    lam.delete_function(FunctionName=n)
for n in names:
    lam.delete_capacity_provider(CapacityProviderName=n)
for config in signing:
    lam.delete_code_signing_config(CodeSigningConfigArn=config)
