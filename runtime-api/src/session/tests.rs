//! Handing over an event, without HTTP.

use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};

use super::SharedQueue;
use crate::RuntimeState;
use crate::http::peer::Peer;
use crate::http::reply::Written as _;
use crate::testing::event;

/// A peer, and the client, which must be kept open.
async fn peer() -> (Peer, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    (Peer::of(&stream).unwrap(), client)
}

/// A session whose runtime has called `next` once and stopped waiting.
async fn ready() -> (Arc<SharedQueue>, Peer, TcpStream) {
    let shared = Arc::new(SharedQueue::default());
    let (peer, client) = peer().await;
    tokio::select! {
        biased;
        _ = shared.next(&peer) => panic!("an event from nowhere"),
        () = std::future::ready(()) => {}
    }
    assert_eq!(shared.lock().state(), RuntimeState::Ready);
    assert_eq!(shared.lock().polls(), 0);
    (shared, peer, client)
}

#[tokio::test]
async fn an_event_that_was_not_written_returns_to_the_queue() {
    let (shared, peer, _client) = ready().await;
    let number = shared.deliver(event("a")).unwrap();
    let (_, handover) = shared.next(&peer).await.unwrap().unwrap();
    assert_eq!(shared.lock().state(), RuntimeState::Running);
    assert!(shared.lock().is_delivered(number));
    drop(handover);
    assert_eq!(shared.lock().state(), RuntimeState::Ready);
    assert!(!shared.lock().is_delivered(number));
    let (again, handover) = shared.next(&peer).await.unwrap().unwrap();
    assert_eq!(again.request_id, "a");
    handover.written();
    assert_eq!(shared.lock().state(), RuntimeState::Running);
    assert!(shared.lock().is_delivered(number));
}

#[tokio::test]
async fn an_abandoned_event_that_was_not_written_is_forgotten() {
    let (shared, peer, _client) = ready().await;
    let number = shared.deliver(event("a")).unwrap();
    let (_, handover) = shared.next(&peer).await.unwrap().unwrap();
    shared.lock().abandon(number);
    drop(handover);
    assert_eq!(shared.lock().state(), RuntimeState::Ready);
    shared.deliver(event("b")).unwrap();
    let (event, _handover) = shared.next(&peer).await.unwrap().unwrap();
    assert_eq!(event.request_id, "b");
}

#[tokio::test]
async fn a_handover_dropped_after_the_answer_began_changes_nothing() {
    let (shared, peer, _client) = ready().await;
    shared.deliver(event("a")).unwrap();
    let (_, late) = shared.next(&peer).await.unwrap().unwrap();
    let posting = shared.begin_response("a", None).unwrap();
    drop(late);
    assert_eq!(shared.lock().state(), RuntimeState::InvocationResponse);
    drop(posting);
    assert_eq!(shared.lock().state(), RuntimeState::ResponseSent);
}

#[tokio::test]
async fn a_client_that_is_gone_takes_no_event() {
    let (shared, peer, client) = ready().await;
    let number = shared.deliver(event("a")).unwrap();
    drop(client);
    assert!(shared.next(&peer).await.unwrap().is_none());
    assert!(!shared.lock().is_delivered(number));
}

#[tokio::test]
async fn an_event_that_another_poll_has_stays_delivered() {
    let (shared, peer, _client) = ready().await;
    let number = shared.deliver(event("a")).unwrap();
    let (_, first) = shared.next(&peer).await.unwrap().unwrap();
    first.written();
    let (_, second) = shared.next(&peer).await.unwrap().unwrap();
    drop(second);
    assert_eq!(shared.lock().state(), RuntimeState::Running);
    assert!(shared.lock().is_delivered(number));
    assert!(shared.begin_response("a", None).is_ok());
}
