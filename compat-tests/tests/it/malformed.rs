//! Requests that no client sends get an answer that an AWS client can read, never a 5xx.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use anyhow::{Result, ensure};
use lambd_compat_tests::api::{ApiRequest, FUNCTIONS};
use lambd_compat_tests::function::ROLE;
use lambd_compat_tests::http::HttpResponse;
use lambd_compat_tests::wait::until;
use lambd_compat_tests::{FunctionSpec, TestServer, package};
use serde_json::json;

fn shaped(what: &str, answer: &HttpResponse) -> Result<()> {
    ensure!((400..500).contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
    ensure!(!answer.code().is_empty(), "{what}: no x-amzn-ErrorType");
    ensure!(answer.json()?.is_object(), "{what}: {}", answer.text());
    Ok(())
}

#[test]
fn malformed_bodies_and_paths_are_refused() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let create = |body: &[u8]| ApiRequest::new("POST", FUNCTIONS).body(body);
    let no_base64 = json!({ "FunctionName": "b64", "Role": ROLE, "Runtime": "provided.al2023", "Handler": "h", "Code": { "ZipFile": "***" } });
    let cases = [
        create(b""),
        create(b"[1]"),
        create(b"null"),
        create(b"{\"FunctionName\": "),
        create(b"{\"FunctionName\": 7, \"Role\": [], \"Code\": \"x\"}"),
        create(b"\xff\xfe\x00"),
        create(&b"[".repeat(200_000)),
        create(&[&b"{\"a\":".repeat(100_000)[..], b"1"].concat()),
        create(no_base64.to_string().as_bytes()),
        create(b"name=x").header("content-type", "application/x-www-form-urlencoded"),
        ApiRequest::new("GET", "/"),
        ApiRequest::new("GET", "/2015-03-31/no-such-thing"),
        ApiRequest::new("PATCH", FUNCTIONS),
        ApiRequest::new("GET", &format!("{FUNCTIONS}/%ff%00")),
        ApiRequest::new("GET", &format!("{FUNCTIONS}/%2e%2e%2f%2e%2e%2fetc")),
        ApiRequest::new("GET", &format!("{FUNCTIONS}/{}", "a".repeat(7000))),
        ApiRequest::new("GET", &format!("{FUNCTIONS}?MaxItems=many")),
        ApiRequest::new("GET", &format!("{FUNCTIONS}?MaxItems=-1")),
        ApiRequest::new("GET", &format!("{FUNCTIONS}?Marker=%00")),
        ApiRequest::new("GET", "/2017-03-31/tags/nonsense"),
        ApiRequest::new(
            "DELETE",
            "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Ax",
        ),
        ApiRequest::new("POST", &format!("{FUNCTIONS}/absent/invocations"))
            .header("x-amz-invocation-type", "Sometimes"),
        ApiRequest::new("POST", &format!("{FUNCTIONS}/absent/invocations"))
            .header("x-amz-client-context", "***"),
    ];
    for case in cases {
        let what = format!("{} {:.60}", case.method, case.target);
        shaped(&what, &server.api.send(&case)?)?;
    }
    assert_eq!(server.api.call("GET", FUNCTIONS, None)?.status, 200);
    Ok(())
}

#[test]
fn members_out_of_range_are_refused() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let code = package::files(&[("bootstrap", "#!/bin/sh\n")]);
    let cases = [
        ("FunctionName", json!("")),
        ("FunctionName", json!("a".repeat(65))),
        ("FunctionName", json!("no spaces")),
        ("MemorySize", json!(127)),
        ("MemorySize", json!(10_241)),
        ("MemorySize", json!(1e300)),
        ("Timeout", json!(0)),
        ("Timeout", json!(901)),
        ("Timeout", json!(1.5)),
        ("EphemeralStorage", json!({ "Size": 511 })),
        ("Role", json!("nobody")),
        ("Runtime", json!("cobol85")),
        ("Handler", json!("h ")),
        ("Architectures", json!(["x86_64", "arm64"])),
        ("Tags", json!({ "k": "v".repeat(257) })),
        ("Environment", json!({ "Variables": { "AWS_REGION": "x" } })),
        ("Environment", json!({ "Variables": { "BIG": "x".repeat(4097) } })),
        ("Environment", json!({ "Variables": { "0": "x" } })),
    ];
    for (member, value) in cases {
        let spec = FunctionSpec::new("provided.al2023", "any", &code).with(member, value.clone());
        let what = format!("{member}: {:.60}", value.to_string());
        shaped(&what, &spec.send(&server.api)?)?;
        if member != "FunctionName" {
            let path = format!("{FUNCTIONS}/{}", spec.name());
            assert_eq!(server.api.call("GET", &path, None)?.status, 404, "{what} left a function");
        }
    }
    Ok(())
}

/// Bytes that are not HTTP, or that contradict themselves, are refused or the connection is closed; the
/// server continues.
#[test]
fn not_even_http() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let huge = format!("GET / HTTP/1.1\r\nhost: x\r\nlong: {}\r\n\r\n", "a".repeat(2 << 20));
    let cases: [&[u8]; 8] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET  / HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        huge.as_bytes(),
    ];
    for case in cases {
        let mut stream = TcpStream::connect(server.api.address)?;
        let (mut sent, mut answer) = (stream.try_clone()?, Vec::new());
        // Both may fail if the server closes first; only an answer is checked.
        let _ = sent.write_all(case).and_then(|()| sent.shutdown(Shutdown::Write));
        let _ = stream.read_to_end(&mut answer);
        let status = String::from_utf8_lossy(answer.get(..12).unwrap_or_default()).into_owned();
        let start = String::from_utf8_lossy(&case[..case.len().min(40)]).into_owned();
        ensure!(status.is_empty() || status.starts_with("HTTP/1.1 4"), "{start:?}: {status}");
    }
    assert_eq!(server.api.call("GET", FUNCTIONS, None)?.status, 200);
    Ok(())
}

/// The change is committed or not; the steps that follow from it are never left out.
#[test]
fn a_caller_that_disconnects_leaves_no_change_half_done() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    server.install("provided.al2023")?;
    let function = FunctionSpec::bootstrap()?.create(&server.api)?;
    let target = format!("{}/configuration", function.path());
    let update =
        |text: String| ApiRequest::new("PUT", &target).body(json!({ "Description": text }).to_string());
    for turn in 0..30 {
        let request = update(format!("turn {turn}")).signed(server.api.address, &server.api.signer);
        TcpStream::connect(server.api.address)?.write_all(&request)?;
        function.wait("LastUpdateStatus", "Successful")?;
    }
    until("an update is possible again", || {
        let answer = server.api.send(&update("last".to_owned()))?;
        Ok((answer.status == 200).then_some(()))
    })?;
    function.wait("LastUpdateStatus", "Successful")
}
