//! Who waits for memory, who gets it, and who makes room.

use super::*;

const LONG: Duration = Duration::from_secs(30);

#[tokio::test(start_paused = true)]
async fn what_is_taken_comes_back_and_serves_the_line() {
    let budget = Budget::new(10);
    let (mut first, mut second) = (budget.share(), budget.share());
    first.grow(4, LONG).await.unwrap();
    first.grow(4, LONG).await.unwrap();
    assert_eq!(budget.free(), 2);
    let waits = tokio::spawn(async move { second.grow(5, LONG).await.map(|()| second) });
    tokio::task::yield_now().await;
    // Two bytes are free, but whoever comes later does not overtake.
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
async fn a_waiter_that_leaves_lets_those_behind_it_through() {
    let budget = Budget::new(10);
    let (mut held, mut large, mut small) = (budget.share(), budget.share(), budget.share());
    held.grow(6, LONG).await.unwrap();
    let large = tokio::spawn(async move { large.grow(8, Duration::from_millis(1)).await });
    tokio::task::yield_now().await;
    let small = tokio::spawn(async move { small.grow(3, LONG).await.map(|()| small) });
    tokio::task::yield_now().await;
    assert!(!small.is_finished());
    assert_eq!(large.await.unwrap(), Err(Crowded));
    let small = timeout(LONG / 2, small).await.expect("nobody gave bytes back, and none had to");
    assert_eq!(small.unwrap().unwrap().bytes, 3);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_stands_still_costs_the_slowest_its_place() {
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
    // Bodies that are here whole are nobody's to end: then the line waits, and gives up.
    drop(fast);
    let start = Instant::now();
    assert_eq!(budget.share().grow(1, LONG).await, Err(Crowded));
    assert_eq!(start.elapsed(), LONG);
}

/// Bodies that are half here and all want more must not wait for each other.
#[tokio::test(start_paused = true)]
async fn bodies_never_lock_each_other() {
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
