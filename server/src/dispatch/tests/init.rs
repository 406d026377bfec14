//! Cold starts, and inits that fail.

use std::time::Duration;

use tokio::time::Instant;

use super::act::{Act, End, Init};
use super::outcome::{by, error};
use super::setup::Setup;
use super::world::run;

fn ready_after(ms: u64) -> Init {
    Init::Ready(Duration::from_millis(ms))
}

#[test]
fn a_first_init_has_ten_seconds_and_a_whole_cpu() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.fake.next_inits([ready_after(9_999)]);
        let start = Instant::now();
        let answer = world.invoke_with_tail("f", Act::answer_after(2_000)).await;
        assert_eq!(start.elapsed(), Duration::from_millis(11_999), "its time is not the invocation's");
        assert!(answer.tail.unwrap().contains("\tInit Duration: 9999.00 ms\t"));
        let body = world.fake.body(0);
        assert_eq!((body.init_permille, body.is_cpu_limited()), (1000, true));
    });
}

#[test]
fn a_slow_init_is_run_again_inside_the_invocation() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.fake.next_inits([ready_after(10_001), ready_after(1_000)]);
        let start = Instant::now();
        let answer = world.invoke_with_tail("f", Act::answer_after(1_000)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(12));
        let tail = answer.tail.unwrap();
        assert!(tail.contains("\tDuration: 2000.00 ms\t") && !tail.contains("Init Duration"), "{tail}");
        assert_eq!(world.fake.alive(), [1]);
        assert_eq!(world.fake.body(1).init_permille, 72, "without the boost of the first");
        assert_eq!(world.served("f").await, 1);
    });
}

#[test]
fn the_second_init_counts_against_the_timeout() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.fake.next_inits([Init::Exit(1), ready_after(2_000)]);
        let start = Instant::now();
        assert_eq!(error(&world.invoke("f", Act::answer_after(1_500)).await), "Sandbox.Timedout");
        assert_eq!(start.elapsed(), Duration::from_secs(3));
        world.fake.next_inits([Init::Hang, Init::Hang]);
        let start = Instant::now();
        assert_eq!(error(&world.invoke("f", Act::new(End::Answer)).await), "Sandbox.Timedout");
        assert_eq!(start.elapsed(), Duration::from_secs(13));
        assert_eq!((world.in_flight(), world.fake.alive()), (0, vec![]));
    });
}

#[test]
fn the_answer_to_two_failures_is_an_error() {
    for (inits, told) in [
        ([Init::Exit(3), Init::Exit(3)], "Runtime.ExitError"),
        ([Init::Error, Init::Error], "Init.Broken"),
        ([Init::NoProgram, Init::NoProgram], "Runtime.InvalidEntrypoint"),
        // The report of the runtime is preferred, even if only the first init had one.
        ([Init::Error, Init::Exit(3)], "Init.Broken"),
        ([Init::Exit(3), Init::Error], "Init.Broken"),
    ] {
        run(Setup::default(), async |world| {
            world.create("f").await;
            world.fake.next_inits(inits);
            let answer = world.invoke_with_tail("f", Act::new(End::Answer)).await;
            let tail = answer.tail.clone().unwrap();
            assert_eq!(error(&Ok(answer)), told);
            assert!(tail.contains("INIT_REPORT") && tail.contains("\tPhase: invoke\t"), "{tail}");
            assert_eq!((world.fake.launched(), world.fake.received().len()), (2, 0));
        });
    }
}

#[test]
fn a_failure_that_is_not_repeated_is_forgotten() {
    for first in [Init::Exit(0), Init::Error, Init::NoProgram] {
        run(Setup::default(), async |world| {
            world.create("f").await;
            world.fake.next_inits([first]);
            assert_eq!(by(&world.invoke("f", Act::new(End::Answer)).await), 1);
        });
    }
}
