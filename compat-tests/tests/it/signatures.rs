//! Signature Version 4: which requests are accepted, and the answers to the others.

use anyhow::{Context as _, Result};
use lambd_compat_tests::TestServer;
use lambd_compat_tests::api::{ApiClient, ApiRequest, FUNCTIONS};
use lambd_compat_tests::http::{Connection, HttpResponse};
use lambd_compat_tests::sigv4::{self, SignableRequest};
use serde_json::json;

fn denied(answer: &HttpResponse, code: &str) {
    assert_eq!((answer.status, answer.code()), (403, code), "{}", answer.text());
    assert!(!answer.message().is_empty());
}

#[test]
fn a_good_signature_passes() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let mut far = server.api.clone();
    far.signer.region = "eu-west-3".to_owned();
    for api in [&server.api, &far] {
        assert_eq!(api.call("GET", &format!("{FUNCTIONS}?MaxItems=5"), None)?.status, 200);
    }
    for skew_s in [-240, 240] {
        let request = ApiRequest { skew_s, ..ApiRequest::new("GET", FUNCTIONS) };
        assert_eq!(server.api.send(&request)?.status, 200, "{skew_s} s off");
    }
    Ok(())
}

#[test]
fn a_bad_signature_does_not() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let list = ApiRequest::new("GET", FUNCTIONS);
    let with = |change: fn(&mut ApiClient)| {
        let mut api = server.api.clone();
        change(&mut api);
        api.send(&list)
    };
    denied(&with(|a| a.signer.secret = "x".repeat(40))?, "InvalidSignatureException");
    denied(&with(|a| a.signer.key = "AKIAUNKNOWNUNKNOWN00".to_owned())?, "UnrecognizedClientException");
    denied(&server.api.send_unsigned(&list)?, "MissingAuthenticationTokenException");
    for skew_s in [-1200, 1200] {
        denied(&server.api.send(&ApiRequest { skew_s, ..list.clone() })?, "InvalidSignatureException");
    }
    let garbage = list.header("authorization", "AWS4-HMAC-SHA256 Credential");
    denied(&server.api.send_unsigned(&garbage)?, "IncompleteSignatureException");
    Ok(())
}

#[test]
fn what_was_signed_cannot_be_changed() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let body = json!({ "FunctionName": "tampered", "Role": "r", "Code": {} }).to_string();
    let signed = ApiRequest::new("POST", FUNCTIONS).body(body).signed(server.api.address, &server.api.signer);
    for (from, to) in [("tampered", "Tampered"), ("/functions ", "/functionz ")] {
        let at =
            signed.windows(from.len()).position(|w| w == from.as_bytes()).context("not in the request")?;
        let mut changed = signed.clone();
        changed[at..at + to.len()].copy_from_slice(to.as_bytes());
        denied(&Connection::open(server.api.address)?.exchange(&changed)?, "InvalidSignatureException");
    }
    Ok(())
}

#[test]
fn a_presigned_address_holds_as_it_is() -> Result<()> {
    let Some(server) = TestServer::shared()? else { return Ok(()) };
    let (time, host) = (sigv4::time(0), server.api.address.to_string());
    let headers = [("host".to_owned(), host)];
    let target = format!("{FUNCTIONS}?MaxItems=1");
    let subject =
        SignableRequest { method: "GET", target: &target, headers: &headers, body: b"", time: &time };
    let good = server.api.signer.presigned(&subject, 60);
    assert_eq!(server.api.send_unsigned(&ApiRequest::new("GET", &good))?.status, 200);
    let altered = good.replace("MaxItems=1", "MaxItems=2");
    denied(&server.api.send_unsigned(&ApiRequest::new("GET", &altered))?, "InvalidSignatureException");
    let longer = good.replace("X-Amz-Expires=60", "X-Amz-Expires=600");
    denied(&server.api.send_unsigned(&ApiRequest::new("GET", &longer))?, "InvalidSignatureException");
    let old = sigv4::time(-120);
    let subject = SignableRequest { time: &old, ..subject };
    let expired = server.api.signer.presigned(&subject, 60);
    assert_eq!(server.api.send_unsigned(&ApiRequest::new("GET", &expired))?.status, 403);
    Ok(())
}
