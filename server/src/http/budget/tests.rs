//! Which bodies wait for memory, get it, or are evicted.

use super::*;

const LONG: Duration = Duration::from_secs(30);

#[tokio::test(start_paused = true)]
async fn returned_memory_goes_to_the_first_that_waits() {
    let budget = Budget::new(10);
    let (mut first, mut second) = (budget.share(), budget.share());
    first.grow(4, LONG).await.unwrap();
    first.grow(4, LONG).await.unwrap();
    assert_eq!(budget.free(), 2);
    let waits = tokio::spawn(async move { second.grow(5, LONG).await.map(|()| second) });
    tokio::task::yield_now().await;
    // Two bytes are free, but a later body does not overtake.
    let mut third = budget.share();
    let third = tokio::spawn(async move { third.grow(1, LONG).await.map(|()| third) });
    tokio::task::yield_now().await;
    assert!(!waits.is_finished() && !third.is_finished());
    drop(first);
    let (second, third) = (waits.await.unwrap().unwrap(), third.await.unwrap().unwrap());
    assert_eq!(budget.free(), 4);
    drop((second, third));
    assert_eq!(budget.free(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_leaves_takes_nothing() {
    let budget = Budget::new(4);
    let (mut first, mut second) = (budget.share(), budget.share());
    first.grow(4, LONG).await.unwrap();
    let left = timeout(Duration::from_millis(10), second.grow(4, LONG)).await;
    assert!(left.is_err());
    drop(first);
    assert_eq!(budget.free(), 4);
    assert_eq!(budget.0.waiting.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_leaves_does_not_block_those_after_it() {
    let budget = Budget::new(10);
    let (mut held, mut large, mut small) = (budget.share(), budget.share(), budget.share());
    held.grow(6, LONG).await.unwrap();
    let large = tokio::spawn(async move { large.grow(8, Duration::from_millis(1)).await });
    tokio::task::yield_now().await;
    let small = tokio::spawn(async move { small.grow(3, LONG).await.map(|()| small) });
    tokio::task::yield_now().await;
    assert!(!small.is_finished());
    assert_eq!(large.await.unwrap(), Err(Crowded));
    let small = timeout(LONG / 2, small).await.expect("enough bytes were free");
    assert_eq!(small.unwrap().unwrap().bytes, 3);
}

#[tokio::test(start_paused = true)]
async fn the_slowest_body_is_evicted_for_a_queue_that_stops() {
    let budget = Budget::new(4);
    let (slow, fast) = (budget.arrival(), budget.arrival());
    slow.has(1);
    fast.has(3);
    let (mut of_slow, mut of_fast) = (budget.share(), budget.share());
    of_slow.grow(1, LONG).await.unwrap();
    of_fast.grow(3, LONG).await.unwrap();
    let slow = tokio::spawn(async move {
        let evicted = slow.evicted().await;
        drop(of_slow);
        evicted
    });
    assert_eq!(of_fast.grow(1, LONG).await, Ok(()));
    assert_eq!(slow.await.unwrap(), Crowded);
    // Complete bodies cannot be evicted: then a waiter waits until its time is over.
    drop(fast);
    let start = Instant::now();
    assert_eq!(budget.share().grow(1, LONG).await, Err(Crowded));
    assert_eq!(start.elapsed(), LONG);
}

/// Bodies that are half received and need more must not wait for each other.
#[tokio::test(start_paused = true)]
async fn bodies_never_wait_for_each_other() {
    let budget = Budget::new(8);
    let bodies: Vec<_> = (0..8)
        .map(|_| {
            let budget = budget.clone();
            tokio::spawn(async move {
                let (arrival, mut share) = (budget.arrival(), budget.share());
                for bytes in 1..=4 {
                    let grown = tokio::select! {
                        grown = share.grow(1, LONG) => grown,
                        crowded = arrival.evicted() => Err(crowded),
                    };
                    if grown.is_err() {
                        return false;
                    }
                    arrival.has(bytes);
                    tokio::task::yield_now().await;
                }
                true
            })
        })
        .collect();
    let start = Instant::now();
    let mut whole = 0;
    for body in bodies {
        whole += u32::from(body.await.unwrap());
    }
    assert!(whole >= 2, "{whole}");
    assert!(start.elapsed() < LONG);
    assert_eq!(budget.free(), 8);
}
