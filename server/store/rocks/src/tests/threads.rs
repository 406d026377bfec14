//! Callers without a tokio runtime.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use super::*;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for the future on this thread, without a runtime.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn a_plain_thread_reads_and_writes() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_store(dir.path()).unwrap();
    let version = wait(store.commit(put("a", "x"), Durability::Synced)).unwrap();
    assert_eq!(wait(store.get(F, b"a")).unwrap().unwrap().version, version);
    wait(store.commit(Batch::new().enqueue("q", "1", 1, "", ""), Durability::Buffered)).unwrap();
    assert_eq!(wait(store.claim("q", 1, 1, 1)).unwrap().len(), 1);
    assert_eq!(wait(store.next_due("q")).unwrap(), Some(2));
}
