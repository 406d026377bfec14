//! Texts of the service's refusals [fact:setting-texts].

use super::accept;
use crate::{Error, ErrorCode, Operation, SUPPORTED_RUNTIMES, generated, input, types, validate};

const NAME: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?";
const NAMESPACED: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?";

/// The violations that a request's message lists, without their count.
fn violations(method: &str, target: &str, body: &str) -> Vec<String> {
    let error = accept(method, target, body.as_bytes()).err().unwrap();
    assert_eq!(error.code, ErrorCode::ValidationException, "{error}");
    let (head, rest) = error.message.split_once(" detected: ").unwrap();
    let found: Vec<_> = rest.split("; ").map(str::to_owned).collect();
    let plural = if found.len() == 1 { "" } else { "s" };
    assert_eq!(head, format!("{} validation error{plural}", found.len()));
    found
}

fn bad(value: &str, path: &str, constraint: &str) -> String {
    format!("Value '{value}' at '{path}' failed to satisfy constraint: Member must {constraint}")
}

fn pattern(pattern: &str) -> String {
    format!("satisfy regular expression pattern: {pattern}")
}

#[test]
fn violations_of_names_and_qualifiers_have_the_recorded_texts() {
    let long = "a".repeat(129);
    let bad_region =
        format!("arn:aws:lambda:invalid-region:111111111111:function:my-function-{}", "a".repeat(170));
    let names = [
        "*",
        "my-function!",
        "invalid-account:function:my-function",
        "arn:aws:lambda:invalid-region:111111111111:function:my-function",
        "arn:aws:ec2:us-east-1:111111111111:instance:i-1234567890abcdef0",
        "arn:aws:lambda:us-east-1:111111111111:function:my-function:1:2",
        "function:my-function:$LATEST:extra",
        "arn:aws:lambda::111111111111:function:my-function",
        "arn:aws:lambda:us-east-1::function:my-function",
        "arn:aws:lambda:us-east-1:111111111111:function:my-function:$LATES",
        "arn:aws:lambda:us-east-1:123400000000@function:myfn",
    ];
    for (method, tail) in [("GET", ""), ("DELETE", ""), ("POST", "/invocations")] {
        let call = |name: &str, query: &str| {
            violations(method, &format!("/2015-03-31/functions/{name}{tail}{query}"), "")
        };
        for name in names {
            assert_eq!(call(name, ""), [bad(name, "functionName", &pattern(NAMESPACED))]);
        }
        let qualifier = pattern(r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+");
        assert_eq!(call("f", "?Qualifier=invalid!"), [bad("invalid!", "qualifier", &qualifier)]);
        let too_long = bad(&long, "qualifier", "have length less than or equal to 128");
        assert_eq!(call("f", &format!("?Qualifier={long}")), std::slice::from_ref(&too_long));
        let both = [too_long, bad(&bad_region, "functionName", &pattern(NAMESPACED))];
        assert_eq!(call(&bad_region, &format!("?Qualifier={long}")), both, "the query's come first");
    }
    for name in ["f", "function:function", "000000000000:function:f", "f:$LATEST", "a.b"] {
        let found = accept("GET", &format!("/2015-03-31/functions/{name}"), b"");
        assert_eq!(found.unwrap(), Operation::GetFunction, "{name}");
    }
}

#[test]
fn violations_of_create_function_have_the_recorded_texts() {
    let base = r#""Role":"arn:aws:iam::000000000000:role/r","Code":{"ZipFile":"aGk="}"#;
    let call = |members: &str| violations("POST", "/2015-03-31/functions", &format!("{{{members},{base}}}"));
    let long = format!("arn:aws:lambda:invalid-region:111111111111:function:my-function{}", "a".repeat(170));
    let want = [
        bad(&long, "functionName", "have length less than or equal to 140"),
        bad(&long, "functionName", &pattern(NAME)),
    ];
    assert_eq!(call(&format!(r#""FunctionName":"{long}""#)), want);
    let want = bad("invalid:function:name", "functionName", &pattern(NAME));
    assert_eq!(call(r#""FunctionName":"invalid:function:name""#), [want]);
    let subnet = "[Member must have length less than or equal to 1024, Member must have length greater than or equal to 0, \
                  Member must satisfy regular expression pattern: subnet-[0-9a-z]*]";
    let want = bad("[bad-format]", "vpcConfig.subnetIds", &format!("satisfy constraint: {subnet}"));
    assert_eq!(call(r#""FunctionName":"f","VpcConfig":{"SubnetIds":["bad-format"]}"#), [want]);
    let want = "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: \
                [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]";
    assert_eq!(call(r#""FunctionName":"f","Environment":{"Variables":{"1":"secret"}}"#), [want]);
    let missing =
        |path| format!("Value null at '{path}' failed to satisfy constraint: Member must not be null");
    assert_eq!(
        violations("POST", "/2015-03-31/functions", ""),
        ["functionName", "role", "code"].map(missing)
    );
}

/// One violation of each other kind of constraint.
#[test]
fn violations_of_each_other_kind_have_the_recorded_texts() {
    let url = pattern(r"((?!^\d+$)^[0-9a-zA-Z-_]+$)");
    let destination = pattern(
        r"$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)",
    );
    let target = "arn:aws:_-/!lambda:us-east-1:111111111111:function:f";
    let put = format!(r#"{{"DestinationConfig":{{"OnFailure":{{"Destination":"{target}"}}}}}}"#);
    let cases = [
        (
            "GET",
            "/2015-03-31/functions?FunctionVersion=invalid",
            "",
            bad("invalid", "functionVersion", "satisfy enum value set: [ALL]"),
        ),
        (
            "GET",
            "/2018-10-31/layers?CompatibleArchitecture=none",
            "",
            bad("none", "compatibleArchitecture", "satisfy enum value set: [x86_64, arm64]"),
        ),
        (
            "PUT",
            "/2024-08-31/functions/f/recursion-config",
            r#"{"RecursiveLoop":"InvalidValue"}"#,
            bad("InvalidValue", "recursiveLoop", "satisfy enum value set: [Terminate, Allow]"),
        ),
        (
            "PUT",
            "/2019-09-30/functions/f/provisioned-concurrency?Qualifier=1",
            r#"{"ProvisionedConcurrentExecutions":0}"#,
            bad("0", "provisionedConcurrentExecutions", "have value greater than or equal to 1"),
        ),
        ("GET", "/2021-10-31/functions/f/url?Qualifier=1", "", bad("1", "qualifier", &url)),
        ("GET", "/2021-10-31/functions/f/url?Qualifier=$LATEST", "", bad("$LATEST", "qualifier", &url)),
        (
            "PUT",
            "/2019-09-25/functions/f/event-invoke-config",
            &put,
            bad(target, "destinationConfig.onFailure.destination", &destination),
        ),
    ];
    for (method, target, body, want) in cases {
        assert_eq!(violations(method, target, body), [want]);
    }
}

#[test]
fn violations_in_lists_and_maps_have_the_recorded_texts() {
    let body = r#"{"Content":{"ZipFile":""},"CompatibleRuntimes":["invalidruntime","nodejs20.x"],"CompatibleArchitectures":["invalidarch","x86_64"]}"#;
    let architectures =
        "satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]";
    let want = [
        bad(
            "[invalidruntime, nodejs20.x]",
            "compatibleRuntimes",
            &format!("satisfy enum value set: [{}]", SUPPORTED_RUNTIMES.join(", ")),
        ),
        bad("[invalidarch, x86_64]", "compatibleArchitectures", architectures),
    ];
    assert_eq!(violations("POST", "/2018-10-31/layers/l/versions", body), want);

    let weights = |weights: &str| {
        let body = format!(
            r#"{{"Name":"a","FunctionVersion":"1","RoutingConfig":{{"AdditionalVersionWeights":{weights}}}}}"#
        );
        violations("POST", "/2015-03-31/functions/f/aliases", &body)
    };
    let at = "at 'routingConfig.additionalVersionWeights' failed to satisfy constraint:";
    let range = "[Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]";
    assert_eq!(
        weights(r#"{"2":-1}"#),
        [format!("Value '{{2=-1.0}}' {at} Map value must satisfy constraint: {range}")]
    );
    let key = "[Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, \
               Member must satisfy regular expression pattern: [0-9]+]";
    let want = format!("Value '{{$LATEST=0.5}}' {at} Map keys must satisfy constraint: {key}");
    assert_eq!(weights(r#"{"$LATEST":0.5}"#), [want]);
}

#[test]
fn what_the_model_allows_but_not_the_service_is_refused() {
    let function = |name: &str| input::CreateFunction {
        function_name: Some(name.into()),
        role: Some("arn:aws:iam::000000000000:role/r".into()),
        code: Some(types::FunctionCode::default()),
        runtime: Some("python2.8".into()),
        ..Default::default()
    };
    assert_eq!(validate(&function(&"a".repeat(64))), Ok(()), "the runtime is the server's to refuse");
    let long = "a".repeat(65);
    let text = "failed to satisfy constraint: Member must have length less than or equal to 64";
    let want = Error::invalid_parameter(format!(
        "1 validation error detected: Value '{long}' at 'functionName' {text}"
    ));
    assert_eq!(validate(&function(&long)), Err(want.clone()));
    assert_eq!(validate(&function(&format!("000000000000:function:{long}:1"))), Err(want));

    let tags = (0..51).map(|i| (format!("k{i}"), String::new())).collect();
    let tagged = input::CreateFunction { tags: Some(tags), ..function("f") };
    assert_eq!(validate(&tagged).unwrap_err().message, "Number of tags exceeds resource tag limit.");

    let environment =
        |size| types::Environment { variables: Some([("LARGE_VAR".into(), "x".repeat(size))].into()) };
    let sized =
        |size| validate(&input::CreateFunction { environment: Some(environment(size)), ..function("f") });
    assert_eq!(sized(4080), Ok(()));
    let error = sized(4081).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidParameterValueException);
    assert!(error.message.ends_with(&format!("String measured: {{\"LARGE_VAR\":\"{}\"}}", "x".repeat(4081))));
}

#[test]
fn errors_have_the_form_of_the_service() {
    let cases = [
        (
            Error::new(ErrorCode::ResourceNotFoundException, "Function not found: x"),
            404,
            r#"{"Type":"User","Message":"Function not found: x"}"#,
        ),
        (
            Error::throttled("ReservedFunctionConcurrentInvocationLimitExceeded").with_retry_after_seconds(1),
            429,
            r#"{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}"#,
        ),
        (Error::new(ErrorCode::ServiceException, "\"\n"), 500, r#"{"Type":"Service","Message":"\"\n"}"#),
        (Error::validation("v"), 400, r#"{"message":"v"}"#),
        (Error::new(ErrorCode::RequestEntityTooLargeException, "big"), 413, r#"{"message":"big"}"#),
    ];
    for (error, status, body) in cases {
        let response = error.encode();
        assert_eq!((response.status().as_u16(), response.body().as_ref()), (status, body.as_bytes()));
        assert_eq!(response.headers()["x-amzn-errortype"], error.code.name());
        assert_eq!(response.headers().contains_key("retry-after"), status == 429);
    }
    assert_eq!(Error::check_payload(b""), Ok(()));
    assert_eq!(Error::check_payload(br#" {"a": [1, null]} "#), Ok(()));
    let not_utf8 = Error::check_payload(b"\"\x87\"").unwrap_err().message;
    assert!(not_utf8.ends_with("Invalid UTF-8 start byte 0x87"), "{not_utf8}");
    let cut = Error::check_payload(b"\"\xe9\"").unwrap_err().message;
    assert!(cut.ends_with("Invalid UTF-8 middle byte 0x22"), "{cut}");
    let payloads: [&[u8]; 7] =
        [b"not json", br#"{"a":"#, b"\x99\x00", b"{'a': 1}", &[b'['; 100_000], b"\"\xe9\"", b"\"\xe2\x98"];
    for payload in payloads {
        let error = Error::check_payload(payload).unwrap_err();
        let prefix = "Could not parse request body into json: Could not parse payload into json: ";
        assert!(error.message.starts_with(prefix), "{error}");
        assert_eq!(error.code, ErrorCode::InvalidRequestContentException);
    }
}

#[test]
fn rewritten_patterns_accept_what_the_models_patterns_accept() {
    let alias = generated::shapes::ALIAS.pattern.as_ref().unwrap();
    let bucket = generated::shapes::S3_BUCKET.pattern.as_ref().unwrap();
    let collection = generated::shapes::COLLECTION_NAME.pattern.as_ref().unwrap();
    let url_name = generated::shapes::FUNCTION_URL_FUNCTION_NAME.pattern.as_ref().unwrap();
    let cases = [
        (alias, ["a", "1a", "a1", "-", "1_"].as_slice(), ["", "1", "123", "a b", "a\n"].as_slice()),
        (bucket, &["", "b", ".b", "a.b"], &[".", "b.", "a b"]),
        (
            collection,
            &["s", "system", "systems.x", "sys", "System.x", "_", "a.b"],
            &["", "system.", "system.x", "a$", "-a"],
        ),
        (
            url_name,
            &["f", "f:a", "f:1a", "function:123", "123456789012:f"],
            &["f:1", "f:", "function:f:123", "f:$LATEST"],
        ),
    ];
    for (pattern, good, bad) in cases {
        for (texts, want) in [(good, true), (bad, false)] {
            for text in texts {
                assert_eq!(pattern.accepts(text), want, "{text:?} and {}", pattern.text);
            }
        }
    }
}

#[test]
fn every_pattern_compiles() {
    let patterns = generated::shapes::ALL.iter().filter_map(|shape| shape.pattern.as_ref());
    assert!(patterns.clone().count() > 80);
    for pattern in patterns {
        assert!(pattern.regex().is_some(), "{}", pattern.text);
    }
}

/// The shortcut for plain words agrees with the regular expression.
#[test]
fn plain_words_need_no_regular_expression() {
    let patterns = generated::shapes::ALL.iter().filter_map(|shape| shape.pattern.as_ref());
    let words: Vec<_> = patterns.filter(|pattern| pattern.word).collect();
    assert_eq!(words.len(), 8);
    let alphabet: Vec<String> = (0..=255_u8).map(|byte| char::from(byte).to_string()).collect();
    let more =
        ["my-function", "_", "-", "0", "a_B-9", "f:1", "f:", "$LATEST", "", "aws", "a.b", "arn", "a b"];
    for text in alphabet.iter().map(String::as_str).chain(more) {
        for pattern in &words {
            assert_eq!(
                pattern.accepts(text),
                pattern.regex().unwrap().is_match(text),
                "{text:?}, {}",
                pattern.text
            );
        }
    }
}
