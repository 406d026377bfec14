//! The limits of account and function, and that permits are returned.

use lambd_engine::scaler::Throttle;

use super::act::{Act, End, Init};
use super::outcome::{by, error, refusal};
use super::setup::Setup;
use super::world::run;

/// An account whose limit is two.
fn two() -> Setup {
    Setup { concurrency: 2, ..Setup::default() }
}

#[test]
fn an_account_runs_no_more_than_its_limit() {
    run(two(), async |world| {
        world.create("f").await;
        world.create("g").await;
        let first = world.begin("f", Act::answer_after(100)).await;
        let second = world.begin("g", Act::answer_after(100)).await;
        assert_eq!(refusal(&world.invoke("f", Act::new(End::Answer)).await), Throttle::Account);
        assert_eq!(world.fake.launched(), 2, "a refusal starts nothing");
        first.await.unwrap().unwrap();
        second.await.unwrap().unwrap();
        assert_eq!(world.served("f").await, 0);
    });
}

#[test]
fn a_function_runs_no_more_than_what_is_reserved_for_it() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.create("g").await;
        world.reserve("f", Some(1)).await;
        let first = world.begin("f", Act::answer_after(100)).await;
        assert_eq!(refusal(&world.invoke("f", Act::new(End::Answer)).await), Throttle::Reserved);
        assert_eq!(world.served("g").await, 1, "other functions are not concerned");
        first.await.unwrap().unwrap();
        assert_eq!(world.served("f").await, 0);
        world.reserve("f", Some(0)).await;
        assert_eq!(refusal(&world.invoke("f", Act::new(End::Answer)).await), Throttle::Reserved);
        world.reserve("f", None).await;
        assert_eq!(world.served("f").await, 0);
    });
}

/// Two invocations that fail: unless their permits are returned, the third is refused.
#[test]
fn a_permit_comes_back_however_it_ends() {
    for (end, told) in [
        (End::Error, "Mine"),
        (End::Exit, "Runtime.ExitError"),
        (End::Hang, "Sandbox.Timedout"),
        (End::AnswerAndExit, ""),
    ] {
        run(two(), async |world| {
            world.create("f").await;
            let first = world.begin("f", Act::new(end.clone())).await;
            let second = world.begin("f", Act::new(end.clone())).await;
            for ended in [first.await.unwrap(), second.await.unwrap()] {
                match end {
                    End::AnswerAndExit => assert!(by(&ended) < 2),
                    _ => assert_eq!(error(&ended), told),
                }
            }
            assert_eq!(world.in_flight(), 0, "the permit is returned before the answer");
            world.invoke("f", Act::new(End::Answer)).await.unwrap();
        });
    }
}

#[test]
fn a_permit_comes_back_from_a_start_that_fails() {
    run(Setup { concurrency: 1, ..Setup::default() }, async |world| {
        world.create("f").await;
        world.fake.next_inits([Init::Refused, Init::Exit(1), Init::Exit(1)]);
        assert!(world.invoke("f", Act::new(End::Answer)).await.is_err());
        assert_eq!(error(&world.invoke("f", Act::new(End::Answer)).await), "Runtime.ExitError");
        world.served("f").await;
    });
}
