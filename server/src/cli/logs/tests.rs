//! `lambd logs` against a listener that checks signatures and returns pages like the server.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use lambd_auth::{AccessRules, AccountKey, Credentials, SessionKey, SignedService, Verifier};
use sha2::{Digest, Sha256};

use super::*;
use crate::http::{ConnectionLimits, respond, serve_connections};

const LINES: [&str; 5] = ["one\n", "two", "three ☃\n", "{\n  \"json\": true\n}", ""];

fn answer(verifier: &Verifier, request: &Request<Body>) -> Response {
    let mut head = Request::get(request.uri()).body(()).unwrap().into_parts().0;
    head.headers = request.headers().clone();
    let pending = match verifier.check(&head, SignedService::Lambda, SystemTime::now()) {
        Ok(pending) => pending,
        Err(refusal) => return respond(StatusCode::FORBIDDEN, [], refusal.to_string()),
    };
    if verifier.finish(pending, &Sha256::digest(b"").into()).is_err() {
        return respond(StatusCode::FORBIDDEN, [], "{\"message\":\"bad signature\"}");
    }
    let known = ["/_lambd/logs/f", "/_lambd/logs/arn:aws:f:$LATEST"].contains(&request.uri().path());
    if !known {
        let headers = [("x-amzn-errortype", "ResourceNotFoundException")];
        return respond(
            StatusCode::NOT_FOUND,
            headers,
            "{\"Type\":\"User\",\"Message\":\"Function not found: g\"}",
        );
    }
    let query = request.uri().query().unwrap();
    let after = query.split_once("after=").map_or(0, |(_, cursor)| cursor.parse::<usize>().unwrap());
    let end = LINES.len().min(after + 2);
    let events: Vec<_> = LINES[after..end]
        .iter()
        .map(|line| serde_json::json!({"time_ms": 1, "stream": "s", "message": line}))
        .collect();
    respond(StatusCode::OK, [], serde_json::json!({"events": events, "cursor": end.to_string()}).to_string())
}

/// The output of `lambd logs`, or its error.
async fn logs(function: &str, secret: &str) -> Result<String, String> {
    let credentials =
        Credentials { access_key_id: "AKIA".into(), secret_access_key: lambd_auth::Secret::new("s") };
    let keys = AccountKey {
        credentials: credentials.clone(),
        account: "000000000000".to_owned(),
        user: "default".to_owned(),
        policy: None,
    };
    let verifier = Verifier::new([keys], AccessRules::default(), SessionKey::new([7; 32])).unwrap();
    let verifier = Arc::new(verifier);
    let router = Router::new().fallback(move |request: Request<Body>| {
        let verifier = Arc::clone(&verifier);
        async move { answer(&verifier, &request) }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    let server =
        serve_connections(listener, router, ConnectionLimits::default(), std::future::pending(), POLL);
    let server = tokio::spawn(server);
    let variable = |name: &str| match name {
        "AWS_ENDPOINT_URL" => Some(endpoint.clone()),
        "AWS_ACCESS_KEY_ID" => Some("AKIA".to_owned()),
        "AWS_SECRET_ACCESS_KEY" => Some(secret.to_owned()),
        _ => None,
    };
    let access = ServerAccess::of("/nowhere".as_ref(), "eu-west-1", variable).unwrap();
    let mut out = Vec::new();
    let done = print(&access, function, false, &mut out).await;
    server.abort();
    done.map(|()| String::from_utf8(out).unwrap()).map_err(|error| format!("{error:#}"))
}

#[tokio::test]
async fn every_event_of_every_page_is_printed_unchanged() {
    let expect = "one\ntwo\nthree ☃\n{\n  \"json\": true\n}\n\n";
    assert_eq!(logs("f", "s").await.as_deref(), Ok(expect));
    assert_eq!(logs("arn:aws:f:$LATEST", "s").await.as_deref(), Ok(expect));
}

#[tokio::test]
async fn a_refusal_is_one_line() {
    assert_eq!(logs("g", "s").await.unwrap_err(), "Function not found: g (ResourceNotFoundException)");
    assert_eq!(logs("f", "wrong").await.unwrap_err(), "bad signature (403)");
}

#[test]
fn the_data_directory_is_used_where_variables_are_absent() {
    let folder = tempfile::tempdir().unwrap();
    let error = ServerAccess::of(folder.path(), "r", |_| None).unwrap_err();
    assert!(error.to_string().contains("--data-dir"), "{error}");
    std::fs::write(folder.path().join("endpoint"), "http://127.0.0.1:4\n").unwrap();
    let made = Credentials::load_or_create(&folder.path().join("credentials")).unwrap();
    let access = ServerAccess::of(folder.path(), "r", |_| None).unwrap();
    assert_eq!((access.endpoint.as_str(), access.region.as_str()), ("http://127.0.0.1:4", "r"));
    assert_eq!(access.credentials, made);

    let other = folder.path().join("other");
    let others = Credentials::load_or_create(&other).unwrap();
    let variable = |name: &str| match name {
        "AWS_SHARED_CREDENTIALS_FILE" => other.to_str().map(str::to_owned),
        "AWS_DEFAULT_REGION" => Some("eu-west-3".to_owned()),
        _ => None,
    };
    let access = ServerAccess::of(folder.path(), "r", variable).unwrap();
    assert_eq!((access.credentials, access.region.as_str()), (others, "eu-west-3"));
}
