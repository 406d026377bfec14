import json, sys, uuid
import boto3

lam = boto3.client("lambda")
s3 = boto3.client("s3", endpoint_url=sys.argv[1])
zips = {kind: open(f"{kind}.zip", "rb").read() for kind in ("first", "second", "layer")}
bucket = name = "from-s3-" + uuid.uuid4().hex[:8]
key = "a folder/ä+package.zip"
invalid, missing = lam.exceptions.InvalidParameterValueException, "Error occurred while GetObject. S3 Error Code: "

s3.create_bucket(Bucket=bucket)
s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
first, second = [s3.put_object(Bucket=bucket, Key=key, Body=zips[kind])["VersionId"] for kind in ("first", "second")]
s3.put_object(Bucket=bucket, Key="layer.zip", Body=zips["layer"])
newest, older = {"S3Bucket": bucket, "S3Key": key}, {"S3Bucket": bucket, "S3Key": key, "S3ObjectVersion": first}


def create(code):
    return lam.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler", Code=code,
                               Role="arn:aws:iam::000000000000:role/test")


def ran():
    lam.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    lam.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    return json.load(lam.invoke(FunctionName=name)["Payload"])


def refused(call, **arguments):
    try:
        call(**arguments)
    except invalid as e:
        return e.response["Error"]["Message"]
    raise AssertionError(f"{call} was not refused")


# What is not there is named in S3's words, and makes nothing.
for code, text in (
    ({**newest, "S3Bucket": "no-" + bucket}, "NoSuchBucket. S3 Error Message: The specified bucket does not exist"),
    ({**newest, "S3Key": "none"}, "NoSuchKey. S3 Error Message: The specified key does not exist."),
    ({**newest, "S3ObjectVersion": str(uuid.uuid4())}, "NoSuchVersion. S3 Error Message: The specified version does not exist."),
):
    for call, arguments in ((create, {"code": code}), (lam.publish_layer_version, {"LayerName": name, "Content": code})):
        assert refused(call, **arguments) == missing + text, (code, refused(call, **arguments))
assert [f for f in lam.list_functions()["Functions"] if f["FunctionName"] == name] == []
assert refused(create, code={"S3Bucket": bucket}) == "Please provide a source for function code."

# The newest version and one that is named; a layer.
create(older)
assert ran() == "first"
updated = lam.update_function_code(FunctionName=name, **newest)
assert updated["CodeSize"] == len(zips["second"]), updated
layer = lam.publish_layer_version(LayerName=name, Content={"S3Bucket": bucket, "S3Key": "layer.zip"})
assert layer["Content"]["CodeSize"] == len(zips["layer"]), layer
lam.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
lam.update_function_configuration(FunctionName=name, Layers=[layer["LayerVersionArn"]])
assert ran() == ["second", "layer"]
lam.update_function_code(FunctionName=name, **newest, S3ObjectVersion=second, Publish=True)
lam.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
assert refused(lam.update_function_code, FunctionName=name, **{**newest, "S3Key": "none"}).startswith(missing + "NoSuchKey")
assert json.load(lam.invoke(FunctionName=name, Qualifier="1")["Payload"]) == ["second", "layer"]

# Code is copied: the object may go.
for version in (first, second):
    s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
assert ran() == ["second", "layer"]
lam.delete_function(FunctionName=name)
lam.delete_layer_version(LayerName=name, VersionNumber=1)
