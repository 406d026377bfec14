//! How a drain ends dispatch.

use std::time::Duration;

use tokio::time::Instant;

use super::act::{Act, End};
use super::outcome::by;
use super::setup::Setup;
use super::world::run;

#[test]
fn it_waits_for_busy_environments_and_ends_idle_ones() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.create("g").await;
        world.served("g").await;
        let running = world.begin("f", Act::answer_after(2000)).await;
        let start = Instant::now();
        assert_eq!(world.dispatcher.drain(Duration::from_secs(10)).await, 0);
        assert_eq!(start.elapsed(), Duration::from_secs(2));
        assert_eq!(world.fake.alive(), [0; 0]);
        assert_eq!(by(&running.await.unwrap()), 1);
    });
}

#[test]
fn it_waits_no_longer_than_it_may() {
    run(Setup::default(), async |world| {
        for name in ["f", "g"] {
            world.create(name).await;
        }
        world.served("g").await;
        let slow = world.begin("f", Act::answer_after(2500)).await;
        let quick = world.begin("f", Act::answer_after(500)).await;
        let start = Instant::now();
        assert_eq!(world.dispatcher.drain(Duration::from_secs(1)).await, 1, "one is cut off");
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        assert_eq!(world.fake.alive(), [by(&slow.await.unwrap())]);
        quick.await.unwrap().unwrap();
    });
}

/// The caller has its answer, but the environment still works.
#[test]
fn it_waits_for_a_slow_poller() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.invoke("f", Act::new(End::Answer).polling_after(1000)).await.unwrap();
        let start = Instant::now();
        assert_eq!(world.dispatcher.drain(Duration::from_secs(10)).await, 0);
        assert_eq!(start.elapsed(), Duration::from_millis(980));
    });
}

#[test]
fn it_needs_no_time_when_nothing_runs() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.served("f").await;
        let start = Instant::now();
        assert_eq!(world.dispatcher.drain(Duration::from_secs(10)).await, 0);
        assert_eq!((start.elapsed(), world.fake.alive()), (Duration::ZERO, vec![]));
    });
}
