//! One event reaches one environment, or none.

use lambd_sandbox::Exit;

use super::act::{Act, End, Init};
use super::outcome::{by, error};
use super::setup::Setup;
use super::world::{pass, run};

#[test]
fn many_events_at_once_reach_one_environment_each() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        let mut all = Vec::new();
        for _ in 0..20 {
            all.push(world.begin("f", Act::answer_after(10)).await);
        }
        let mut numbers = Vec::new();
        for invocation in all {
            numbers.push(by(&invocation.await.unwrap()));
        }
        numbers.sort_unstable();
        assert_eq!(numbers, Vec::from_iter(0..20));
        assert!((0..20).all(|number| world.fake.body(number).events().len() == 1));
    });
}

#[test]
fn an_exit_while_holding_the_event_is_the_answer() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.served("f").await;
        let outcome = world.invoke("f", Act::new(End::Exit)).await;
        assert_eq!(error(&outcome), "Runtime.ExitError", "an idle one that took the event is not replaced");
        assert_eq!((world.fake.launched(), world.fake.alive()), (1, vec![]));
    });
}

/// The server leases the environment before it learns of its end.
#[test]
fn an_exit_before_the_event_is_taken_leads_to_another() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        assert_eq!(world.served("f").await, 0);
        let body = world.fake.body(0);
        body.hang_up();
        let invocation = world.spawn("f", Act::new(End::Answer));
        pass(5).await;
        assert!(!invocation.is_finished());
        body.end(Exit::Code(1));
        assert_eq!(by(&invocation.await.unwrap()), 1);
    });
}

/// The next one would most likely end, too.
#[test]
fn the_death_of_a_fresh_one_is_the_answer() {
    run(Setup::default(), async |world| {
        world.create("f").await;
        world.fake.next_inits([Init::PollAndExit(1)]);
        assert_eq!(error(&world.invoke("f", Act::new(End::Answer)).await), "Runtime.ExitError");
        assert_eq!((world.fake.launched(), world.fake.received().len()), (1, 0));
    });
}

#[test]
fn a_response_counts_even_if_the_program_ends_right_after_it() {
    for end in [End::AnswerAndExit, End::AnswerAndVanish] {
        run(Setup::default(), async |world| {
            world.create("f").await;
            assert_eq!(by(&world.invoke("f", Act::new(end)).await), 0);
            assert_eq!(world.fake.alive(), [0; 0]);
            assert_eq!(world.served("f").await, 1);
        });
    }
}
