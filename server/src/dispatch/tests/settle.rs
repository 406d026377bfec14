//! The end of the invoke phase: what waits for the runtime's next poll, and for how long.

use std::time::Duration;

use tokio::time::Instant;

use super::act::{Act, End};
use super::outcome::by;
use super::setup::Setup;
use super::world::{pass, run};

#[test]
fn a_slow_poller_keeps_its_environment_but_not_its_caller() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.served("f").await;
        let start = Instant::now();
        assert_eq!(by(&world.invoke("f", Act::new(End::Answer).polling_after(500)).await), 0);
        assert_eq!(start.elapsed(), Duration::from_millis(20));
        assert_eq!(world.in_flight(), 1, "the permit stays with the environment");
        assert_eq!(by(&world.invoke("f", Act::answer_after(100)).await), 1, "it cannot serve yet");
        pass(500).await;
        assert_eq!((world.in_flight(), world.fake.alive()), (0, vec![0, 1]));
        assert_eq!(world.served("f").await, 0, "it came back last");
    });
}

#[test]
fn a_caller_that_wants_the_tail_waits_for_the_poll() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.served("f").await;
        let start = Instant::now();
        let act = Act::new(End::Answer).printing("mine").polling_after(500);
        let tail = world.invoke_with_tail("f", act).await.tail.unwrap();
        assert_eq!(start.elapsed(), Duration::from_millis(500));
        let kinds: Vec<_> = tail.lines().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(kinds, ["START", "mine", "END", "REPORT"], "{tail}");
    });
}

/// The caller has its answer; only the log shows what happened to the environment.
#[test]
fn a_runtime_that_never_polls_again_is_ended_at_the_deadline() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.served("f").await;
        let start = Instant::now();
        let answer = world.invoke_with_tail("f", Act::new(End::Answer).polling_after(1_000_000)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(3));
        assert!(!answer.is_error && answer.tail.unwrap().contains("\tStatus: timeout\t"));
        assert_eq!((world.in_flight(), world.fake.alive()), (0, vec![]));
    });
}

#[test]
fn a_runtime_that_ends_before_its_poll_ends_its_environment() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.served("f").await;
        let answer = world.invoke_with_tail("f", Act::new(End::AnswerAndExit)).await;
        assert!(!answer.is_error);
        assert!(answer.tail.unwrap().contains("\tStatus: error\tError Type: Runtime.ExitError\t"));
        assert_eq!((world.in_flight(), world.fake.alive()), (0, vec![]));
    });
}

#[test]
fn an_error_of_the_function_keeps_the_environment() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        let answer = world.invoke_with_tail("f", Act::new(End::Error)).await;
        assert!(answer.is_error);
        assert_eq!(&answer.payload[..], br#"{"errorType":"Mine"}"#, "as the runtime sent it");
        assert_eq!(world.served("f").await, 0);
    });
}
