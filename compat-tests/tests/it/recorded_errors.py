"""Sends every request of recorded_errors.jsonl and compares its error with the one that AWS gave.

Each row has functions, layers and settings of its own ("needs"). expected_failures.json tells which rows are known to
differ, and why; a row that passes unexpectedly is a failure, too.
"""
import io, json, re, sys, uuid, zipfile
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

CONFIG = Config(parameter_validation=False, retries={"max_attempts": 0})
lam = boto3.client("lambda", config=CONFIG)
ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"


def package(text="def handler(e, c): return e"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", text)
    return buffer.getvalue()


class Row:
    """One row, with names that no other row has."""

    def __init__(self, row):
        self.row, self.mark = row, uuid.uuid4().hex[:8]
        self.names, self.again, self.config_arn = {}, False, None

    def rename(self, value):
        """The same value with this row's own names; the account is the server's."""
        if isinstance(value, dict):
            return {key: self.rename(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.rename(one) for one in value]
        if not isinstance(value, str):
            return value
        value = re.sub(r"<(.)(?::len\(|\*)(\d+)\)?>", lambda m: m[1] * int(m[2]), value)
        if value == "<zip>":
            return package()
        if value == "<csc>":
            return self.config_arn
        if match := re.fullmatch(r"<zeros:(\d+)>", value):
            return bytes(int(match[1]))
        if match := re.fullmatch(r"<hex:(.*)>", value):
            return bytes.fromhex(match[1])
        if match := re.fullmatch(r"<tags:(\d+)>", value):
            return {f"{n}_key": f"{n}_value" for n in range(int(match[1]))}
        value = value.replace("111111111111", ACCOUNT)
        for old, new in self.names.items():
            value = re.sub(rf"(?<![A-Za-z0-9_-]){re.escape(old)}(?![A-Za-z0-9_-]*doesnotexist)(?![A-Za-z0-9_])", new, value)
        return value

    def prepare(self):
        for need in self.row["needs"]:
            kind, _, rest = need.partition(":")
            if kind in ("function", "layer") and rest not in self.names:
                self.names[rest] = f"{rest[:30]}-{self.mark}"
        for need in self.row["needs"]:
            kind, *words = need.split(":")
            getattr(self, kind)(*words)

    def function(self, name):
        lam.create_function(FunctionName=self.names[name], Runtime="python3.11", Handler="index.handler", Role=ROLE,
                            Code={"ZipFile": package()})
        self.settle(name)

    def settle(self, name):
        lam.get_waiter("function_active_v2").wait(FunctionName=self.names[name], WaiterConfig={"Delay": 0.02})
        lam.get_waiter("function_updated_v2").wait(FunctionName=self.names[name], WaiterConfig={"Delay": 0.02})

    def version(self, name):
        lam.update_function_code(FunctionName=self.names[name], ZipFile=package(uuid.uuid4().hex))
        self.settle(name)
        lam.publish_version(FunctionName=self.names[name])

    def alias(self, name, alias):
        lam.create_alias(FunctionName=self.names[name], Name=alias, FunctionVersion="1")

    def permission(self, name, sid, qualifier=None):
        more = {"Qualifier": qualifier} if qualifier else {}
        lam.add_permission(FunctionName=self.names[name], StatementId=sid, Action="lambda:InvokeFunction",
                           Principal="s3.amazonaws.com", **more)

    def nopermission(self, name, sid):
        lam.remove_permission(FunctionName=self.names[name], StatementId=sid)

    def reserved(self, name, count):
        lam.put_function_concurrency(FunctionName=self.names[name], ReservedConcurrentExecutions=int(count))

    def provisioned(self, name, qualifier, count):
        lam.put_provisioned_concurrency_config(FunctionName=self.names[name], Qualifier=qualifier,
                                               ProvisionedConcurrentExecutions=int(count))

    def tags(self, name, count):
        arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{self.names[name]}"
        lam.tag_resource(Resource=arn, Tags=self.rename(f"<tags:{count}>"))

    def layer(self, name):
        lam.publish_layer_version(LayerName=self.names[name], Content={"ZipFile": package()})

    def layerpermission(self, name, sid):
        lam.add_layer_version_permission(LayerName=self.names[name], VersionNumber=1, StatementId=sid,
                                         Action="lambda:GetLayerVersion", Principal="*")

    def updating(self, name):
        # The state is left within milliseconds, so the request is sent until it meets it; see `send`.
        self.again = name

    def csc(self):
        profile = f"arn:aws:signer:us-east-1:{ACCOUNT}:/signing-profiles/p/abcdefghij"
        made = lam.create_code_signing_config(AllowedPublishers={"SigningProfileVersionArns": [profile]})
        self.config_arn = made["CodeSigningConfig"]["CodeSigningConfigArn"]

    def call(self, request):
        operation = re.sub(r"(?<!^)(?=[A-Z])", "_", self.row["operation"]).lower()
        try:
            answer = getattr(lam, operation)(**request)
            return answer["ResponseMetadata"]["HTTPStatusCode"], None, None, None
        except ClientError as error:
            answer = error.response
            return (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"],
                    answer.get("Reason"))

    def send(self):
        request = self.rename(self.row["input"])
        if not self.again:
            return self.call(request)
        for _ in range(200):
            lam.update_function_configuration(FunctionName=self.names[self.again], Description=uuid.uuid4().hex)
            answer = self.call(request)
            if answer[1]:
                return answer
            self.settle(self.again)
        return answer

    def clean(self):
        """Functions hold concurrency of the account, which some rows are about."""
        for name in self.names.values():
            try:
                lam.delete_function(FunctionName=name)
            except ClientError:
                pass  # a layer, or deleted by the row itself

    def pattern(self, text):
        """The recorded text as a regular expression; what a recording replaced matches anything."""
        text = self.rename(text)
        text = re.sub(r"<(partition|region)>", lambda m: {"partition": "aws", "region": "us-east-1"}[m[1]], text)
        parts = re.split(r"<[a-zA-Z_][a-zA-Z0-9_:-]*>", text)
        return ".+?".join(re.escape(part) for part in parts)

    def difference(self):
        row = self.row
        again = "again" in row["needs"]
        row["needs"] = [need for need in row["needs"] if need != "again"]
        self.prepare()
        if again:
            first = self.call(self.rename(row["input"]))
            if first[1]:
                return f"the first request was refused: {first}"
        status, code, message, reason = self.send()
        if (status, code) != (row["status"], row["code"]):
            return f"{status} {code} {message}"
        if "reason" in row and reason != row["reason"]:
            return f"reason {reason}"
        if "violations" in row:
            count = len(row["violations"])
            begin = f"{count} validation error{'' if count == 1 else 's'} detected: "
            texts = [self.pattern(one) for one in row["violations"]]
            wanted = re.escape(begin) + "; ".join(texts)
        elif row["message"] is None:
            return None
        else:
            wanted = self.pattern(row["message"])
        return None if re.fullmatch(wanted, message, re.DOTALL) else f"text {message!r}, wanted {wanted!r}"


rows = [json.loads(line) for line in open("recorded_errors.jsonl")]
expected = {int(id): reason for id, reason in json.load(open("expected_failures.json")).items()}
wrong, failed = [], {}
for row in rows:
    one = Row(row)
    try:
        difference = one.difference()
    except Exception as error:
        difference = f"could not be prepared: {error}"
    one.clean()
    where = f"{row['id']} {row['operation']}, {row['situation']}"
    if difference:
        failed[row["id"]] = difference
    if difference and row["id"] not in expected:
        wrong.append(f"{where}: {difference}")
    if not difference and row["id"] in expected:
        wrong.append(f"{where}: passes, though expected_failures.json says: {expected[row['id']]}")
print(f"{len(rows) - len(failed)} of {len(rows)} rows as recorded, {len(expected)} expected to differ")
print("\n".join(wrong))
sys.exit(1 if wrong else 0)
