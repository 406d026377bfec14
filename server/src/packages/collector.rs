//! Removes packages that no function uses: one task for any number of requests.

use std::convert::Infallible;

use tokio::sync::Notify;

/// Asked by every change that may have left a package without a function. Requests during a collection lead
/// to one more after it.
#[derive(Debug, Default)]
pub struct Collector {
    asked: Notify,
}

impl Collector {
    /// Asks for a collection.
    pub fn ask(&self) {
        self.asked.notify_one();
    }

    /// Runs `collect`, which may block, each time it is asked for. Never ends.
    pub async fn run(&self, collect: impl Fn() + Clone + Send + 'static) -> Infallible {
        loop {
            self.asked.notified().await;
            // A panic of a collection has been logged; the next request starts another.
            let _ = tokio::task::spawn_blocking(collect.clone()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_thousand_requests_run_one_collection_at_a_time() {
        let (collector, runs) = (Arc::new(Collector::default()), Arc::new(AtomicUsize::new(0)));
        let (started, at_start) = tokio::sync::mpsc::unbounded_channel();
        let (go_on, waiting) = mpsc::sync_channel::<()>(0);
        let waiting = Arc::new(std::sync::Mutex::new(waiting));
        let collect = {
            let runs = Arc::clone(&runs);
            move || {
                runs.fetch_add(1, Ordering::SeqCst);
                started.send(()).unwrap();
                waiting.lock().unwrap().recv().unwrap();
            }
        };
        let running = tokio::spawn({
            let collector = Arc::clone(&collector);
            async move { collector.run(collect).await }
        });
        let mut at_start = at_start;
        collector.ask();
        at_start.recv().await.unwrap();
        (0..1000).for_each(|_| collector.ask());
        let go_on = tokio::task::spawn_blocking(move || {
            go_on.send(()).unwrap();
            go_on.send(()).unwrap();
            go_on
        });
        at_start.recv().await.unwrap();
        let _go_on = go_on.await.unwrap();
        // Both have run and no further one was asked for.
        assert!(collector.asked.notified().now_or_never().is_none());
        assert_eq!(runs.load(Ordering::SeqCst), 2);
        running.abort();
    }

    use futures_util::FutureExt as _;
}
