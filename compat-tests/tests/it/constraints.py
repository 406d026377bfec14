"""One request for each way to break a constraint of the service model, of every operation.

botocore's model is the oracle: what it says is broken, and nothing else, must be in the answer. Requests are made
without botocore's serializer, because it refuses or converts wrong types.
"""
import base64, collections, http.client, json, os, random, re, sys, urllib.parse
import botocore.auth, botocore.awsrequest, botocore.credentials, botocore.session

MODEL = botocore.session.get_session().get_service_model("lambda")
RANDOM = random.Random(20261128)
# A body or head over these is refused by its size before anything is decoded.
BODY_MAX, LABEL_MAX = 1 << 20, 12_000
# Requests with several violations, for each operation.
MIXED = 12

# What the service does other than its model says: operation (or None for all), path, and the code that is
# answered; None: not checked by the model's constraint.
DEVIATIONS = {
    # There is no handler: no input is decoded.
    ("InvokeAsync", None): "UnsupportedOperationException",
    # The service knows more about runtimes than their names, and has a text of its own.
    ("CreateFunction", "runtime"): "InvalidParameterValueException",
    # The same, after the function was looked for.
    ("UpdateFunctionConfiguration", "runtime"): "ResourceNotFoundException",
}
# The text about these runtimes has the service's own list and no brackets.
PLAIN = "compatibleRuntimes"

ARN = "arn:aws:lambda:us-east-1:000000000000:"
EXAMPLES = {
    "Action": "lambda:InvokeFunction",
    "Arn": ARN + "function:absent",
    "CapacityProviderArn": ARN + "capacity-provider:absent",
    "CodeSigningConfigArn": ARN + "code-signing-config:csc-0123456789abcdef0",
    "DestinationArn": ARN + "function:absent",
    "DurableExecutionArn": ARN + "function:absent:1/durable-execution/name/id",
    "Endpoint": "host:9092",
    "FileSystemArn": "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0",
    "FunctionArn": ARN + "function:absent",
    "FunctionRuntimeArn": "arn:aws:lambda:us-east-1:000000000000:runtime/" + "0" * 64,
    "KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/k",
    "KMSKeyArnNonEmpty": "arn:aws:kms:us-east-1:000000000000:key/k",
    "LayerPermissionAllowedAction": "lambda:GetLayerVersion",
    "LayerPermissionAllowedPrincipal": "*",
    "LayerVersionArn": ARN + "layer:absent:1",
    "LocalMountPath": "/mnt/x",
    "MasterRegion": "ALL",
    "OrganizationId": "o-0123456789",
    "PolicyResourceArn": ARN + "function:absent",
    "PrincipalOrgID": "o-0123456789",
    "ResourceArn": ARN + "function:absent",
    "ResourcePolicy": "{}",
    "RevisionId": "00000000-0000-0000-0000-000000000000",
    "RoleArn": "arn:aws:iam::000000000000:role/test",
    "RuntimeVersionArn": "arn:aws:lambda:us-east-1::runtime:" + "0" * 64,
    "Runtime": "python3.12",
    "S3Bucket": "bucket",
    "SecurityGroupId": "sg-0",
    "SourceOwner": "000000000000",
    "SubnetId": "subnet-0",
    "TaggableResource": ARN + "function:absent",
}
WRONG = {"string": 5, "integer": "x", "long": "x", "double": "x", "boolean": "x", "timestamp": "x", "blob": 5,
         "list": {}, "map": [], "structure": []}


# The oracle.

def pattern(shape):
    """The pattern of a text in Python's syntax; classes of Unicode become near ones."""
    text = shape.metadata["pattern"].replace(r"\p{L}\p{Z}\p{N}", r"\w\s")
    return re.compile(text)


def measured(shape, value):
    if shape.type_name in ("integer", "long", "double"):
        return value
    return len(value) if shape.type_name in ("string", "list", "map", "blob") else None


def own(shape, value):
    """The constraints of a shape that a value breaks, without what is inside the value: starts of texts."""
    word = "value" if shape.type_name in ("integer", "long", "double") else "length"
    size, low, high = measured(shape, value), shape.metadata.get("min"), shape.metadata.get("max")
    if size is not None and high is not None and size > high:
        yield f"Member must have {word} less than or equal to {high}"
    if size is not None and low is not None and size < low:
        yield f"Member must have {word} greater than or equal to {low}"
    if shape.type_name == "string":
        if shape.enum and value not in shape.enum:
            yield "Member must satisfy enum value set: ["
        if "pattern" in shape.metadata and not pattern(shape).fullmatch(value):
            yield f"Member must satisfy regular expression pattern: {shape.metadata['pattern']}"


def part(shape, value):
    """The constraint that a key, value or element breaks: one text, however many there are."""
    if shape.type_name == "list" and any(whole(shape.member, v) for v in value):
        return ["Member must satisfy constraint: ["]
    if shape.type_name == "map":
        if any(whole(shape.key, k) for k in value):
            return ["Map keys must satisfy constraint: ["]
        if any(whole(shape.value, v) for v in value.values()):
            return ["Map value must satisfy constraint: ["]
    return []


def whole(shape, value):
    return [*own(shape, value), *part(shape, value)]


def violations(shape, value, path=""):
    """All (path, start of text) of a structure, in no order."""
    found = []
    for name, member in shape.members.items():
        at = f"{path}{name[0].lower()}{name[1:]}"
        if name not in value:
            if name in shape.required_members:
                found.append((at, "Member must not be null"))
            continue
        found += [(at, text) for text in whole(member, value[name])]
        found += inside(member, value[name], at)
    return found


def inside(shape, value, path):
    if shape.type_name == "structure":
        return violations(shape, value, path + ".")
    if shape.type_name == "list":
        return [v for i, e in enumerate(value) for v in inside(shape.member, e, f"{path}.{i + 1}.member")]
    return []


# Values.

def valid(shape):
    """The smallest value that the model accepts."""
    kind, low = shape.type_name, shape.metadata.get("min", 0)
    if kind == "string":
        found = [EXAMPLES.get(shape.name, ""), *shape.enum[:1], *(c * max(int(low), 1) for c in "1x"), "xx"]
        return next(text for text in found if text and not [*own(shape, text)])
    if kind == "structure":
        return {name: valid(shape.members[name]) for name in shape.required_members}
    if kind == "list":
        return [valid(shape.member)] * max(int(low), 1)
    return {"integer": max(low, 1), "long": max(low, 1), "double": max(low, 1), "boolean": True, "timestamp": 1,
            "blob": b"x" * max(int(low), 1), "map": {}}[kind]


def bad(shape):
    """Values that break a constraint of the shape itself, each with what it is."""
    low, high, kind = shape.metadata.get("min"), shape.metadata.get("max"), shape.type_name
    if kind in ("integer", "long", "double"):
        if low is not None:
            yield "too small", low - 1
        if high is not None:
            yield "too large", high + 1
    elif kind == "string":
        if high is not None:
            start = valid(shape)
            yield "too long", start + start[-1] * (int(high) + 1 - len(start))
        if low:
            yield "too short", valid(shape)[:int(low) - 1]
        if shape.enum:
            yield "no value of the enum", "Colour"
        if "pattern" in shape.metadata:
            texts = [c * max(int(low or 0), 1) for c in "! \u00e4$./"]
            found = [t for t in texts if not pattern(shape).fullmatch(t)]
            if found:
                yield "not of the pattern", found[0]
    elif kind == "blob":
        if high is not None:
            yield "too long", b"x" * (int(high) + 1)
        if low:
            yield "too short", b"x" * (int(low) - 1)
    elif kind == "list":
        if high is not None:
            yield "too long", [valid(shape.member)] * (int(high) + 1)
        if low:
            yield "too short", [valid(shape.member)] * (int(low) - 1)
        if shape.member.type_name != "structure":
            for what, value in bad(shape.member):
                yield f"an element {what}", [value]
    elif kind == "map":
        if high is not None:
            yield "too long", {f"k{i}": valid(shape.value) for i in range(int(high) + 1)}
        for what, value in bad(shape.key):
            yield f"a key {what}", {value: valid(shape.value)}
        for what, value in bad(shape.value):
            yield f"a value {what}", {valid(shape.key): value}


Case = collections.namedtuple("Case", "path what input is_type")


def cases(shape, wrap, path=(), above=()):
    """The cases of a structure: for each member, and for what is inside it, one for each constraint."""
    if shape.name in above:
        return
    base = valid(shape)
    for name in shape.required_members:
        yield Case(path + (name,), "absent", wrap({n: v for n, v in base.items() if n != name}), False)
    for name, member in shape.members.items():
        into = lambda value, name=name: wrap({**base, name: value})
        at = path + (name,)
        is_text = "location" in member.serialization  # so that a number is a text, too
        if member.type_name != "string" or not is_text:
            yield Case(at, "wrong type", into(WRONG[member.type_name]), True)
        for what, value in bad(member):
            yield Case(at, what, into(value), False)
        if member.type_name == "structure":
            yield from cases(member, into, at, above + (shape.name,))
        if member.type_name == "list" and member.member.type_name == "structure":
            first = lambda value, into=into: into([value])
            yield from cases(member.member, first, at, above + (shape.name,))
        if member.type_name in ("list", "map") and not is_text:
            inner = member.member if member.type_name == "list" else member.value
            wrong = WRONG[inner.type_name]
            yield Case(at, "wrong type inside", into([wrong] if member.type_name == "list" else {"k": wrong}), True)


def mixed(operation, single):
    """Inputs with violations of several members at once."""
    shape, by_member = operation.input_shape, collections.defaultdict(list)
    for case in single:
        if len(case.path) == 1 and not case.is_type and request(operation, case.input):
            by_member[case.path[0]].append(case)
    for _ in range(MIXED if len(by_member) > 1 else 0):
        names = RANDOM.sample(sorted(by_member), RANDOM.randint(2, min(5, len(by_member))))
        whole = valid(shape)
        for name in names:
            case = RANDOM.choice(by_member[name])
            whole.pop(name, None)
            if name in case.input:
                whole[name] = case.input[name]
        yield Case(tuple(names), "several", whole, False)


# Requests.

def plain(value):
    """A value as JSON has it."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


def text(value):
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def request(operation, values):
    """Method, target, headers and body; None if the value cannot be where the model has the member."""
    target, query, headers, members, payload = operation.http["requestUri"], [], {}, {}, None
    for name, member in operation.input_shape.members.items():
        where, key = member.serialization.get("location"), member.serialization.get("name", name)
        value = values.get(name)
        if where == "uri":
            # Without a label, or with one that has other segments, it is another request.
            if not isinstance(value, (str, int)) or value == "" or len(str(value)) > LABEL_MAX:
                return None
            target = target.replace("{%s}" % key, urllib.parse.quote(text(value), safe="-._~"))
        elif value is None:
            pass
        elif where == "querystring":
            if isinstance(value, dict) or len(str(value)) > LABEL_MAX:
                return None
            query += [(key, text(v)) for v in (value if isinstance(value, list) else [value])]
            if value == []:
                return None
        elif where == "header":
            if not isinstance(value, (str, int)) or not str(value).isascii() or str(value) != str(value).strip():
                return None
            headers[key] = text(value)
        elif operation.input_shape.serialization.get("payload") == name:
            payload = value
        else:
            members[name] = plain(value)
    if query:
        target += ("&" if "?" in target else "?") + urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
    if "payload" in operation.input_shape.serialization:
        if isinstance(payload, (bytes, type(None))):
            body = payload or b""
        else:
            body = json.dumps(plain(payload)).encode()
        if operation.input_shape.members[operation.input_shape.serialization["payload"]].type_name == "blob":
            if payload is not None and not isinstance(payload, bytes):
                return None
    else:
        body = json.dumps(members).encode() if members else b""
    return None if len(body) > BODY_MAX else (operation.http["method"], target, headers, body)


class Server:
    def __init__(self):
        self.url = os.environ["AWS_ENDPOINT_URL"]
        keys = botocore.credentials.Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
        self.auth = botocore.auth.SigV4Auth(keys, "lambda", "us-east-1")
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc)

    def send(self, method, target, headers, body):
        signed = botocore.awsrequest.AWSRequest(method, self.url + target, headers=dict(headers), data=body)
        self.auth.add_auth(signed)
        self.connection.request(method, target, body, dict(signed.headers.items()))
        answer = self.connection.getresponse()
        content = answer.read()
        code = (answer.headers.get("x-amzn-errortype") or "").split(":")[0]
        try:
            parsed = json.loads(content)
            message = parsed.get("message", parsed.get("Message", ""))
        except (ValueError, AttributeError):
            message = content.decode(errors="replace")
        return answer.status, code, message


# What an answer must be.

VIOLATION = re.compile(r"Value(?: null| '(?:(?!' at ').)*')? at '([^']*)' failed to satisfy constraint: ", re.DOTALL)


def listed(message):
    """The violations that a message names, or None if it has not the service's form."""
    head = re.match(r"(\d+) validation (errors?) detected: ", message)
    if not head:
        return None
    parts = VIOLATION.split(message[head.end():])
    found = [(path, text.removesuffix("; ")) for path, text in zip(parts[1::2], parts[2::2])]
    fits = len(found) == int(head[1]) and (head[2] == "error") == (len(found) == 1) and parts[0] == ""
    return found if fits else None


def agree(expected, found):
    """Whether each expected violation is named, and no other."""
    left = list(found)
    for path, start in expected:
        same = [f for f in left if f[0] == path and (
            f[1].startswith(start) if start.endswith("[") else f[1].split(".0")[0] == start)
            or f[0] == path == PLAIN and f[1].startswith("Member must satisfy enum value set: [")]
        if not same:
            return False
        left.remove(same[0])
    return not left


def wrong(operation, case, answer):
    """What is wrong with an answer, or None."""
    status, code, message = answer
    if not 400 <= status < 500:
        return f"status {status}"
    if not code or not message:
        return "no code or no text"
    expected = [] if case.is_type else violations(operation.input_shape, case.input)
    for (name, path), instead in DEVIATIONS.items():
        if name == operation.name and (path is None or expected and {p for p, _ in expected} == {path}):
            return None if code == instead else f"not {instead}"
        if name == operation.name:
            expected = [v for v in expected if v[0] != path]
    if case.is_type:
        return None if (status, code) == (400, "SerializationException") else "not SerializationException"
    if (status, code) != (400, "ValidationException"):
        return "not ValidationException"
    found = listed(message)
    if found is None:
        return "not of the service's form"
    return None if agree(expected, found) else f"expected {expected}, found {found}"


def main():
    server, sent, unsent, failed = Server(), 0, collections.Counter(), []
    for name in MODEL.operation_names:
        operation = MODEL.operation_model(name)
        if operation.input_shape is None:
            continue
        assert not violations(operation.input_shape, valid(operation.input_shape)), name
        single = list(cases(operation.input_shape, lambda value: value))
        for case in [*single, *mixed(operation, single)]:
            if not case.is_type and not violations(operation.input_shape, case.input):
                unsent["not broken"] += 1
                continue
            made = request(operation, case.input)
            if made is None:
                unsent["cannot be sent"] += 1
                continue
            answer = server.send(*made)
            sent += 1
            fault = wrong(operation, case, answer)
            if fault:
                failed.append(f"{name} {'.'.join(case.path)} {case.what}: {fault}; answered {answer[0]} {answer[1]} {answer[2][:300]}")
    print(f"{sent} requests, not sent: {dict(unsent)}")
    assert sent > 2000, sent
    sys.exit("\n".join([f"{len(failed)} wrong answers", *failed]) if failed else 0)


main()
