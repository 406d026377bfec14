import base64, hmac, json, os, time
import boto3
from botocore.exceptions import ClientError

OWN, OTHER, ROLE = "000000000000", "111111111111", "arn:aws:iam::000000000000:role/"


def client(service, key, secret, token=None):
    return boto3.client(service, aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token)


def of(credentials):
    return credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"]


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response["Error"]["Message"]
    raise AssertionError(f"{code} expected")


lam, sts = boto3.client("lambda"), boto3.client("sts")
code = open("probe.zip", "rb").read()


def create(lam, name, role=ROLE + "test"):
    lam.create_function(FunctionName=name, Runtime="python3.11", Handler="probe.handler", Code={"ZipFile": code}, Role=role)
    lam.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


create(lam, "f")
create(lam, "secret")

# Who am I?
assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{OWN}:user/default"
assert client("sts", "AKIDOTHER", "other").get_caller_identity()["Account"] == OTHER
refused("InvalidClientTokenId", client("sts", "AKIDNOBODY", "x").get_caller_identity)
refused("SignatureDoesNotMatch", client("sts", "AKIDOWN", "x").get_caller_identity)

# A key with a policy.
reader = client("lambda", "AKIDREADER", "reader")
assert [f["FunctionName"] for f in reader.list_functions()["Functions"]] == ["f", "secret"]
assert reader.get_function(FunctionName="f")["Configuration"]["State"] == "Active"
arn = f"arn:aws:lambda:us-east-1:{OWN}:function:"
who = f"User: arn:aws:iam::{OWN}:user/reader is not authorized to perform: lambda:"
text = refused("AccessDeniedException", reader.invoke, FunctionName="f")
assert text == f"{who}InvokeFunction on resource: {arn}f because no identity-based policy allows the lambda:InvokeFunction action", text
text = refused("AccessDeniedException", reader.get_function, FunctionName="secret")
assert text == f"{who}GetFunction on resource: {arn}secret with an explicit deny in an identity-based policy", text
text = refused("AccessDenied", client("sts", "AKIDREADER", "reader").assume_role, RoleArn=ROLE + "reader", RoleSessionName="me")
assert "sts:AssumeRole" in text, text

# A role, with its own policy and with one that narrows the session; none of another account.
session = sts.assume_role(RoleArn=ROLE + "reader", RoleSessionName="me", DurationSeconds=900)
assert session["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{OWN}:assumed-role/reader/me", session
left = session["Credentials"]["Expiration"].timestamp() - time.time()
assert 800 < left < 1000, left
keys = of(session["Credentials"])
assert len(client("lambda", *keys).list_functions()["Functions"]) == 2
refused("AccessDeniedException", client("lambda", *keys).delete_function, FunctionName="f")
assert client("sts", *keys).get_caller_identity()["UserId"] == session["AssumedRoleUser"]["AssumedRoleId"]
policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:GetFunction", "Resource": "*"}]})
narrow = sts.assume_role(RoleArn=ROLE + "reader", RoleSessionName="me", Policy=policy)
narrow = client("lambda", *of(narrow["Credentials"]))
narrow.get_function(FunctionName="f")
text = refused("AccessDeniedException", narrow.list_functions)
assert text.endswith("because no session policy allows the lambda:ListFunctions action"), text
refused("AccessDenied", sts.assume_role, RoleArn=f"arn:aws:iam::{OTHER}:role/r", RoleSessionName="me")
refused("MalformedPolicyDocument", sts.assume_role, RoleArn=ROLE + "r", RoleSessionName="me", Policy="{}")
refused("ValidationError", sts.assume_role, RoleArn=ROLE + "r", RoleSessionName="no spaces")

# A user's own temporary keys.
mine = of(sts.get_session_token()["Credentials"])
assert len(client("lambda", *mine).list_functions()["Functions"]) == 2
refused("AccessDenied", client("sts", *mine).get_session_token)

# The keys of a function are those of its role, which is not defined and so may invoke, and little more.
env = json.load(lam.invoke(FunctionName="f", Payload=json.dumps({"do": "environ"}))["Payload"])
keys = env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"]
inside = client("lambda", *keys)
assert client("sts", *keys).get_caller_identity()["Arn"] == f"arn:aws:sts::{OWN}:assumed-role/test/f"
answer = inside.invoke(FunctionName="f", Payload=json.dumps({"do": "environ"}))
assert answer["StatusCode"] == 200 and "FunctionError" not in answer, answer
text = refused("AccessDeniedException", inside.update_function_code, FunctionName="f", ZipFile=code)
assert text.startswith(f"User: arn:aws:sts::{OWN}:assumed-role/test/f is not authorized"), text
refused("AccessDenied", client("sts", *keys).assume_role, RoleArn=ROLE + "reader", RoleSessionName="me")
url = lam.get_function(FunctionName="f")["Code"]["Location"]
assert url.startswith(os.environ["AWS_ENDPOINT_URL"] + "/"), url

# Another account's function has keys of that account, whatever account its role names.
create(client("lambda", "AKIDOTHER", "other"), "f", role=ROLE + "reader")
there = client("lambda", "AKIDOTHER", "other").invoke(FunctionName="f", Payload=json.dumps({"do": "environ"}))
there = json.load(there["Payload"])
there = there["AWS_ACCESS_KEY_ID"], there["AWS_SECRET_ACCESS_KEY"], there["AWS_SESSION_TOKEN"]
assert client("sts", *there).get_caller_identity()["Arn"] == f"arn:aws:sts::{OTHER}:assumed-role/reader/f"
refused("AccessDeniedException", client("lambda", *there).get_function, FunctionName="f")
refused("AccessDeniedException", client("lambda", *there).invoke, FunctionName=arn + "f")

# Tokens that are not, or no longer, good.
refused("UnrecognizedClientException", client("lambda", keys[0], keys[1]).list_functions)
refused("UnrecognizedClientException", client("lambda", *keys[:2], "x" + keys[2][1:]).list_functions)
refused("UnrecognizedClientException", client("lambda", mine[0], mine[1], keys[2]).list_functions)
refused("InvalidSignatureException", client("lambda", keys[0], "x" + keys[1], keys[2]).list_functions)


def made(expires):
    """A session as the server makes it, with its own key."""
    def code_of(purpose, body):
        key = hmac.digest(bytes.fromhex(os.environ["SESSION_KEY"]), purpose, "sha256")
        return hmac.digest(key, body, "sha256")

    nonce = os.urandom(10)
    claims = {"a": OWN, "s": {"r": {"r": ROLE + "reader", "n": "old"}}, "e": int(time.time()) + expires}
    body = b"\1" + nonce + json.dumps(claims).encode()
    token = base64.urlsafe_b64encode(body + code_of(b"token", body)).decode().rstrip("=")
    secret = base64.b64encode(code_of(b"secret", body)[:30]).decode()
    return "ASIA" + base64.b32encode(nonce).decode(), secret, token


assert len(client("lambda", *made(60)).list_functions()["Functions"]) == 2
text = refused("ExpiredTokenException", client("lambda", *made(-1)).list_functions)
assert text == "The security token included in the request is expired", text
refused("ExpiredToken", client("sts", *made(-1)).get_caller_identity)
