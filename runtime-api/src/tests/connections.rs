//! Connections are kept alive, bounded, and closed with the session.

use crate::testing::{ServedEnvironment, event};
use crate::{SessionConfig, limits};

const PING: &str = "/2018-06-01/ping";

#[tokio::test]
async fn dropping_the_session_ends_the_service_and_its_connections() {
    let environment = ServedEnvironment::start().await;
    let mut polling = environment.poll().await;
    let mut idle = environment.connect().await;
    idle.call("GET", PING, "", b"").await.is(200, "pong");
    let ServedEnvironment { session, served, .. } = environment;
    let invocation = session.deliver(event("a")).unwrap();
    drop(session);
    polling.answer().await.is(200, "{\"id\":\"a\"}");
    drop(invocation);
    served.await.unwrap();
    assert!(polling.try_answer().await.is_none());
    assert!(idle.try_answer().await.is_none());
}

#[tokio::test]
async fn a_connection_beyond_the_limit_waits_until_another_ends() {
    let environment =
        ServedEnvironment::with(&SessionConfig { connections_max: 2, ..SessionConfig::default() }).await;
    let mut first = environment.connect().await;
    let mut second = environment.connect().await;
    for client in [&mut first, &mut second] {
        client.call("GET", PING, "", b"").await.is(200, "pong");
    }
    let mut third = environment.connect().await;
    third.send(&crate::testing::request("GET", PING, "", b"")).await;
    for _ in 0..10 {
        first.call("GET", PING, "", b"").await.is(200, "pong");
        assert!(third.stream.get_ref().try_read(&mut [0]).is_err());
    }
    drop(second);
    third.answer().await.is(200, "pong");
}

#[tokio::test]
async fn a_head_of_a_million_bytes_passes_and_a_larger_one_is_refused() {
    for (bytes, status) in [(1_000_000, 200), (1024 * 1024, 200), (1_100_000, 431)] {
        let environment = ServedEnvironment::start().await;
        let mut client = environment.connect().await;
        let header = format!("X: {}\r\n", "x".repeat(bytes));
        client.send(&crate::testing::request("GET", PING, &header, b"")).await;
        assert_eq!(client.answer().await.status, status, "{bytes}");
    }
    const { assert!(limits::REQUEST_HEAD_MAX_BYTES > 1024 * 1024) };
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let environment = ServedEnvironment::start().await;
    let mut client = environment.connect().await;
    let one = crate::testing::request("GET", PING, "", b"");
    client.send(&one.repeat(50)).await;
    for _ in 0..50 {
        client.answer().await.is(200, "pong");
    }
}

/// Sends half a head of a megabyte on every connection; those for which the budget is not enough are closed.
#[tokio::test]
async fn connections_share_what_they_may_make_the_server_hold() {
    let environment = ServedEnvironment::start().await;
    let half = format!("GET {PING} HTTP/1.1\r\nX: {}", "x".repeat(1_000_000));
    let mut clients = Vec::new();
    for _ in 0..8 {
        let mut client = environment.connect().await;
        // The server may close before all of it is written.
        let _ = client.try_send(half.as_bytes()).await;
        clients.push(client);
    }
    let mut ordinary = environment.connect().await;
    ordinary.call("GET", PING, "", b"").await.is(200, "pong");
    let mut answered = 0;
    for client in &mut clients {
        let _ = client.try_send(b"\r\nHost: h\r\n\r\n").await;
        answered += usize::from(client.try_answer().await.is_some());
    }
    assert!((1..=limits::HELD_MAX_BYTES / 1_000_000).contains(&answered), "{answered}");
    drop(clients);
    // The bytes that they paid are available again.
    for _ in 0..4 {
        let mut client = environment.connect().await;
        let header = format!("X: {}\r\n", "x".repeat(1_000_000));
        client.call("GET", PING, &header, b"").await.is(200, "pong");
    }
}

#[tokio::test]
async fn more_connections_than_the_free_ones_take_descriptors() {
    let pool = std::sync::Arc::new(tokio::sync::Semaphore::new(3));
    let config =
        SessionConfig { descriptors: Some(std::sync::Arc::clone(&pool)), ..SessionConfig::default() };
    let environment = ServedEnvironment::with(&config).await;
    let mut clients = Vec::new();
    for left in [3, 3, 1] {
        let mut client = environment.connect().await;
        client.call("GET", PING, "", b"").await.is(200, "pong");
        clients.push(client);
        assert_eq!(pool.available_permits(), left);
    }
    let mut fourth = environment.connect().await;
    fourth.send(&crate::testing::request("GET", PING, "", b"")).await;
    drop(clients);
    fourth.answer().await.is(200, "pong");
}
