//! Every operation, according to its own description.

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::schema::{Binding, Kind, MemberShape};
use crate::{
    Operation, Output as _, Request, RouteError, decode, encode, generated, input, output, route, types,
};

/// The operation's URI, each label filled with a text that is in no template.
fn target(operation: Operation) -> String {
    let (path, query) = operation.uri().split_once('?').unwrap_or_else(|| (operation.uri(), ""));
    let segments = path.split('/').map(|segment| match segment.strip_prefix('{') {
        Some(label) => format!("%3A{}+%25:", label.trim_end_matches('}')),
        None => segment.to_owned(),
    });
    format!("{}?{query}", segments.collect::<Vec<_>>().join("/"))
}

#[test]
fn every_operation_is_routed_to_itself() {
    assert_eq!(Operation::ALL.len(), 91);
    for operation in Operation::ALL {
        let target = target(operation);
        let found = route(&Method::from_bytes(operation.method().as_bytes()).unwrap(), &target).unwrap();
        assert_eq!(found.operation, operation, "{target}");
        let labels = operation.uri().split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}'));
        for (place, label) in labels.enumerate() {
            assert_eq!(found.labels[place], format!(":{label}+%:"), "{target}");
        }
    }
}

#[test]
fn each_path_leads_to_its_operation_or_is_refused() {
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
    let encoded = "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af";
    let cases = [
        ("GET", "/2015-03-31/functions/".to_owned(), Ok((Operation::ListFunctions, ""))),
        ("GET", "/2015-03-31/functions?MaxItems=1".to_owned(), Ok((Operation::ListFunctions, ""))),
        (
            "GET",
            "/2015-03-31/event-source-mappings/".to_owned(),
            Ok((Operation::ListEventSourceMappings, "")),
        ),
        ("GET", format!("/2015-03-31/functions/{arn}"), Ok((Operation::GetFunction, arn))),
        ("GET", format!("/2015-03-31/functions/{encoded}"), Ok((Operation::GetFunction, arn))),
        ("POST", format!("/2015-03-31/functions/{arn}/invocations"), Ok((Operation::Invoke, arn))),
        (
            "GET",
            "/2018-10-31/layers?a=b&find=LayerVersion".to_owned(),
            Ok((Operation::GetLayerVersionByArn, "")),
        ),
        ("GET", "/2018-10-31/layers?find=Other".to_owned(), Ok((Operation::ListLayers, ""))),
        ("PATCH", "/2015-03-31/functions".to_owned(), Err(RouteError::MethodNotAllowed)),
        ("GET", "/2015-03-31/no-such-thing".to_owned(), Err(RouteError::NotFound)),
        ("GET", "/".to_owned(), Err(RouteError::NotFound)),
        ("GET", String::new(), Err(RouteError::NotFound)),
        ("GET", "*".to_owned(), Err(RouteError::NotFound)),
        ("GET", "/2015-03-31/functions//configuration".to_owned(), Err(RouteError::NotFound)),
        ("GET", format!("/2015-03-31{}", "/a".repeat(1000)), Err(RouteError::NotFound)),
        ("GET", "/2015-03-31/functions/%ff%00".to_owned(), Err(RouteError::BadEncoding)),
    ];
    for (method, target, want) in cases {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let found = route(&method, &target);
        assert_eq!(
            found.as_ref().map(|r| (r.operation, r.labels[0].as_ref())),
            want.as_ref().map(|w| *w),
            "{target}"
        );
    }
}

/// A JSON value that a member of this shape accepts, or `None` for a blob.
fn sample(member: &MemberShape) -> &'static str {
    match member.shape.kind {
        Kind::Text => "\"12\"",
        Kind::Integer | Kind::Double => "12",
        Kind::List => "[]",
        Kind::Map => "{}",
        Kind::Other => "null",
    }
}

/// Fills every member of the body, decodes it as the operation's input and as its output, and encodes it
/// again.
#[test]
fn every_operation_keeps_its_body() {
    for operation in Operation::ALL {
        for mut structure in
            [generated::BLANK_INPUT[operation as usize](), generated::BLANK_OUTPUT[operation as usize]()]
        {
            let members = structure.shapes().iter().filter(|member| member.binding == Binding::Body);
            let pairs =
                members.map(|member| (member.name, sample(member))).filter(|(_, value)| *value != "null");
            let body = pairs.map(|(name, value)| format!("\"{name}\":{value}")).collect::<Vec<_>>().join(",");
            let body = format!("{{{body}}}");
            decode::body(structure.as_mut(), &body).unwrap();
            let mut again = Vec::new();
            encode::structure(structure.as_ref(), &mut again);
            let number = |text: &str| text.replace(":12.0", ":12");
            assert_eq!(number(&String::from_utf8(again).unwrap()), body, "{}", operation.name());
        }
    }
}

#[test]
fn every_empty_output_has_the_operations_status() {
    for operation in Operation::ALL {
        let response =
            encode::structure_response(generated::BLANK_OUTPUT[operation as usize]().as_mut(), operation);
        assert_eq!(response.status().as_u16(), operation.success_status());
        assert_eq!(
            response.headers().contains_key("content-type"),
            !response.body().is_empty() || has_payload(operation)
        );
        assert!(response.status() != 204 || response.body().is_empty(), "{}", operation.name());
    }
    assert_eq!(Operation::DeleteFunction.success_status(), 204, "the model's status is corrected");
}

fn has_payload(operation: Operation) -> bool {
    generated::BLANK_OUTPUT[operation as usize]()
        .shapes()
        .iter()
        .any(|member| member.binding == Binding::RawPayload)
}

#[test]
fn invoke_keeps_the_payload_buffer() {
    let target = "/2015-03-31/functions/f/invocations";
    let route = route(&Method::POST, target).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-invocation-type", "DryRun".parse().unwrap());
    let body = Bytes::from(vec![b'1'; 100]);
    let request =
        Request { labels: &route.labels, query: "Qualifier=a%2Bb+c", headers: &headers, body: &body };
    let input = <input::Invoke as crate::Input>::decode(&request).unwrap();
    assert_eq!(input.function_name.as_deref(), Some("f"));
    assert_eq!(input.invocation_type.as_deref(), Some("DryRun"));
    assert_eq!(input.qualifier.as_deref(), Some("a+b c"));
    assert_eq!(input.payload.unwrap().as_ptr(), body.as_ptr(), "the payload was copied");

    let output = output::Invoke {
        status_code: Some(202),
        function_error: Some("Unhandled".into()),
        log_result: Some("a\nb".into()),
        payload: Some(body.clone()),
        ..Default::default()
    };
    let response = output.encode(Operation::Invoke);
    assert_eq!(response.status(), 202);
    assert_eq!(response.headers()["x-amz-function-error"], "Unhandled");
    assert!(!response.headers().contains_key("x-amz-log-result"), "a header with a line break");
    assert_eq!(response.body().as_ptr(), body.as_ptr(), "the payload was copied");
}

#[test]
fn a_list_takes_every_value_of_its_query_key() {
    let route = route(&Method::DELETE, "/2017-03-31/tags/arn").unwrap();
    let cases = [
        ("tagKeys=a&tagKeys=b", vec!["a", "b"]),
        ("tagKeys=", vec![""]),
        ("tagKeys", vec![""]),
        ("tagKeys=%C3%BC+x", vec!["ü x"]),
    ];
    for (query, want) in cases {
        let (headers, body) = (HeaderMap::new(), Bytes::new());
        let request = Request { labels: &route.labels, query, headers: &headers, body: &body };
        let input = <input::UntagResource as crate::Input>::decode(&request).unwrap();
        assert_eq!(input.tag_keys.unwrap(), want);
    }
}

#[test]
fn outputs_become_the_bodies_of_the_api() {
    let configuration = output::CreateFunction {
        function_name: Some("f".into()),
        code_size: Some(1 << 40),
        environment: Some(types::EnvironmentResponse {
            variables: Some([("K".into(), "\u{1}ü\"".into())].into()),
            error: None,
        }),
        layers: Some(Vec::new()),
        ..Default::default()
    };
    let shown = format!("{configuration:?}");
    assert!(shown.contains("FunctionName: \"f\"") && !shown.contains('ü'), "{shown}");
    let response = configuration.encode(Operation::CreateFunction);
    assert_eq!(response.status(), 201);
    let want = r#"{"FunctionName":"f","CodeSize":1099511627776,"Environment":{"Variables":{"K":"\u0001ü\""}},"Layers":[]}"#;
    assert_eq!(response.body(), want);

    let time = aws_smithy_types::DateTime::from_millis(1_700_000_000_250);
    let mapping = output::GetEventSourceMapping { last_modified: Some(time), ..Default::default() };
    assert_eq!(mapping.encode(Operation::GetEventSourceMapping).body(), r#"{"LastModified":1700000000.25}"#);
}
