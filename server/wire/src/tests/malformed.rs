//! Malformed requests get a 4xx and never cause a panic. `make fuzz` finds more of them.

use super::accept;
use crate::{ErrorCode, input, validate};

const FUNCTIONS: &str = "/2015-03-31/functions";

#[test]
fn malformed_bodies_are_refused() {
    let deep = "[".repeat(100_000);
    let unknown = format!("{{\"Unknown\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let (json, kind, missing) = (
        ErrorCode::InvalidRequestContentException,
        ErrorCode::SerializationException,
        ErrorCode::ValidationException,
    );
    let cases: [(&[u8], ErrorCode); 16] = [
        (b"{\"FunctionName\": ", json),
        (b"{} x", json),
        (b"\xff\xfe\x00", json),
        (b"{\"FunctionName\":\"\\ud800\"}", json),
        (b"{\"\\ud800\":1}", json),
        (b"name=x", json),
        (b"[1]", kind),
        (b"   ", json),
        (deep.as_bytes(), json),
        (b"{\"FunctionName\": 7}", kind),
        (b"{\"Role\": []}", kind),
        (b"{\"Timeout\": 2147483648}", kind),
        (b"{\"Code\": {\"ZipFile\": \"***\"}}", kind),
        (b"", missing),
        (b"null", kind),
        (unknown.as_bytes(), missing),
    ];
    for (body, want) in cases {
        let error = accept("POST", FUNCTIONS, body).err().unwrap();
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]);
        assert_eq!(error.code, want, "{shown}: {error}");
        assert_eq!(
            error.message.starts_with("Could not parse request body into json: "),
            want == json,
            "{error}"
        );
        assert!(error.encode().status().is_client_error());
    }
}

#[test]
fn malformed_queries_and_labels_are_refused() {
    let cases = [
        ("GET", "/2015-03-31/functions?MaxItems=many", ErrorCode::SerializationException),
        ("GET", "/2015-03-31/functions?Marker=%ff", ErrorCode::SerializationException),
        ("GET", "/2015-03-31/functions?MaxItems=0", ErrorCode::ValidationException),
        ("GET", "/2015-03-31/functions/%ff%00", ErrorCode::SerializationException),
        ("GET", "/2015-03-31/functions/a%00", ErrorCode::ValidationException),
        ("GET", "/2017-03-31/tags/nonsense", ErrorCode::ValidationException),
        ("GET", "/2018-10-31/layers/l/versions/x", ErrorCode::SerializationException),
        ("GET", "/2015-03-31/no-such-thing", ErrorCode::UnknownOperationException),
        ("PATCH", "/2015-03-31/functions", ErrorCode::MethodNotAllowedException),
    ];
    for (method, target, want) in cases {
        let error = accept(method, target, b"").err().unwrap();
        assert_eq!(error.code, want, "{target}: {error}");
    }
}

/// A blob is decoded from the request's text without unescaping it first; some clients write the escape `\/`.
#[test]
fn a_blob_is_decoded_with_and_without_escapes() {
    let cases = [
        (r#""aGkvPz8/""#, b"hi/???".as_slice()),
        (r#""aGkvPz8\/""#, b"hi/???"),
        ("\"\"", b""),
        ("null", b"none"),
    ];
    for (text, want) in cases {
        let body = format!("{{\"ZipFile\":{text}}}");
        let mut input = input::UpdateFunctionCode::default();
        crate::decode::body(&mut input, &body).unwrap();
        assert_eq!(input.zip_file.as_deref().unwrap_or(b"none"), want, "{text}");
    }
}

#[test]
fn a_message_names_a_bounded_number_of_violations() {
    let filters = vec![crate::types::Filter { pattern: Some("x".repeat(5000)) }; 1000];
    let input = input::CreateEventSourceMapping {
        function_name: Some("f".into()),
        filter_criteria: Some(crate::types::FilterCriteria { filters: Some(filters) }),
        ..Default::default()
    };
    let error = validate(&input).unwrap_err();
    assert!(error.message.starts_with("64 validation errors detected: "), "{}", &error.message[..60]);
    assert!(error.message.contains("at 'filterCriteria.filters.1.member.pattern' failed"));
}
