//! Routing: paths, methods and the APIs that do not exist here.

use super::Route;
use crate::testing::{INIT_ERROR, NEXT, ServedEnvironment, error_path, response_path};

#[test]
fn each_path_leads_to_its_route() {
    for (path, route) in [
        (NEXT, Route::Next),
        ("/2018-06-01/ping", Route::Ping),
        ("/2018-06-01/runtime/invocation/a-b/response", Route::Response("a-b")),
        ("/2018-06-01/runtime/invocation/a-b/error", Route::Error("a-b")),
        ("/2018-06-01/runtime/invocation//error", Route::Error("")),
        ("/2018-06-01/runtime/invocation/next/response", Route::Response("next")),
        (INIT_ERROR, Route::InitError),
        ("/2022-07-01/telemetry/", Route::Telemetry),
        ("/2018-06-01/runtime/invocation/a/b/response", Route::Unknown),
        ("/2018-06-01/runtime/invocation/a/response/", Route::Unknown),
        ("/2018-06-01/runtime/invocation/response", Route::Unknown),
        ("/2018-06-01/runtime/invocation/", Route::Unknown),
        ("/2018-06-01/runtime/invocation/next/", Route::Unknown),
        ("/2018-06-01/ping/", Route::Unknown),
        ("/2020-08-15/logs/", Route::Unknown),
        ("/2018-06-01/Ping", Route::Unknown),
        ("//2018-06-01/ping", Route::Unknown),
        ("*", Route::Unknown),
        ("", Route::Unknown),
        ("/", Route::Unknown),
    ] {
        assert_eq!(Route::of(path), route, "{path}");
    }
}

#[tokio::test]
async fn wrong_methods_are_405_and_unknown_paths_404_both_empty() {
    let environment = ServedEnvironment::start().await;
    let mut client = environment.connect().await;
    let ping = "/2018-06-01/ping";
    for (method, path, status) in [
        ("POST", NEXT, 405),
        ("PUT", NEXT, 405),
        ("DELETE", NEXT, 405),
        ("GET", &response_path("a"), 405),
        ("PUT", &error_path("a"), 405),
        ("GET", INIT_ERROR, 405),
        ("POST", ping, 405),
        ("BREW", ping, 405),
        ("GET", "/2022-07-01/telemetry", 405),
        ("POST", "/2020-08-15/logs", 405),
        ("GET", "/2020-01-01/extension/register", 405),
        ("GET", "/", 404),
        ("GET", "/2018-06-01/ping/", 404),
        ("GET", "/2018-06-01/runtime/restore/next", 404),
        ("POST", "/2018-06-01/runtime/restore/error", 404),
        ("GET", "/2021-04-23/credentials", 404),
        ("POST", "/2018-06-01/runtime/invocation/next/", 404),
    ] {
        let answer = client.call(method, path, "", b"body").await;
        assert_eq!((answer.status, answer.body.as_str()), (status, ""), "{method} {path}");
    }
    client.call("GET", ping, "", b"").await.is(200, "pong");
    client.call("GET", "/2018-06-01/ping?x=y", "", b"").await.is(200, "pong");
}

#[tokio::test]
async fn absent_apis_answer_not_supported() {
    let environment = ServedEnvironment::start().await;
    let mut client = environment.connect().await;
    let telemetry =
        r#"{"errorType":"Telemetry.NotSupported","errorMessage":"Telemetry API is not supported"}"#;
    let logs = r#"{"errorType":"Logs.NotSupported","errorMessage":"Logs API is not supported"}"#;
    client.call("PUT", "/2022-07-01/telemetry", "", b"{}").await.is(202, telemetry);
    client.call("PUT", "/2022-07-01/telemetry/", "", b"").await.is(202, telemetry);
    client.call("PUT", "/2020-08-15/logs", "", b"{}").await.is(202, logs);
}
